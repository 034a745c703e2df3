//! One multipart upload, whose algorithm is named once for all its requests.

use super::{
    answers::Uploaded,
    arguments::{CompleteMultipartUpload, CreateMultipartUpload, UploadPart},
    object::ObjectChecksums,
};
use crate::{
    algorithm::{Algorithm, ChecksumType},
    error::{Error, Hint, Result},
};

/// The checksum algorithm of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UploadAlgorithm {
    /// The only one that was computed beside MD5; none if MD5 is the only one.
    #[default]
    Computed,
    /// None: S3 computes CRC64NVME by itself.
    None,
    /// This one.
    Named(Algorithm),
}

/// One multipart upload of an object. Made by [`ObjectChecksums::multipart_upload`].
#[derive(Clone, Copy, Debug)]
pub struct MultipartUpload<'a> {
    pub(crate) sums: &'a ObjectChecksums,
    /// The algorithm and type of the upload; `None` for one without an algorithm.
    pub checksum: Option<(Algorithm, ChecksumType)>,
}

impl ObjectChecksums {
    /// The upload of these bytes with an algorithm and a type, which is S3's default for the algorithm if it is `None`.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if several algorithms were computed and none is named; [`Error::NotSupportedByS3`] for a
    /// pair that S3 refuses; [`Error::MissingChecksum`]; [`Error::PartPlan`] for a PutObject.
    ///
    /// ```
    /// use partsum::{Algorithm, ChecksumType, Options, hash_bytes, s3::UploadAlgorithm};
    ///
    /// let options = Options { part_size: "8MiB".parse()?, ..Options::default() };
    /// let sums = hash_bytes(b"aaa", &[Algorithm::Md5, Algorithm::Sha256], &options, &mut ())?;
    /// let upload = sums.multipart_upload(UploadAlgorithm::Computed, None)?;
    /// assert_eq!(upload.checksum, Some((Algorithm::Sha256, ChecksumType::Composite)));
    /// assert_eq!(upload.part(1)?.size, 3);
    /// # Ok::<(), partsum::Error>(())
    /// ```
    pub fn multipart_upload(
        &self,
        algorithm: UploadAlgorithm,
        checksum_type: Option<ChecksumType>,
    ) -> Result<MultipartUpload<'_>> {
        let algorithm = self.upload_algorithm(algorithm)?;
        let checksum = self.create_multipart_upload(algorithm, checksum_type)?.checksum;
        Ok(MultipartUpload { sums: self, checksum })
    }

    /// The algorithm that is meant.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if several were computed and none is named.
    pub fn upload_algorithm(&self, algorithm: UploadAlgorithm) -> Result<Option<Algorithm>> {
        let computed: Vec<_> = match algorithm {
            UploadAlgorithm::None => return Ok(None),
            UploadAlgorithm::Named(algorithm) => return Ok(Some(algorithm)),
            UploadAlgorithm::Computed => self.algorithms().filter(|one| *one != Algorithm::Md5).collect(),
        };
        match computed[..] {
            [] => Ok(None),
            [only] => Ok(Some(only)),
            _ => {
                let names: Vec<_> = computed.iter().map(|algorithm| algorithm.name()).collect();
                let problem = format!("it is left out, and {} were computed", names.join(", "));
                Err(Error::argument("algorithm", problem).with_hint(Hint::NameAlgorithm))
            }
        }
    }
}

impl MultipartUpload<'_> {
    /// Arguments that open the upload.
    pub const fn create(&self) -> CreateMultipartUpload {
        CreateMultipartUpload { checksum: self.checksum }
    }

    /// Arguments that send a part.
    ///
    /// # Errors
    /// As [`ObjectChecksums::upload_part`].
    pub fn part(&self, number: i64) -> Result<UploadPart> {
        self.sums.upload_part(number, self.checksum.map(|(algorithm, _)| algorithm))
    }

    /// Arguments that complete the upload.
    ///
    /// # Errors
    /// As [`ObjectChecksums::complete_multipart_upload`].
    pub fn complete(&self, uploaded: Option<&Uploaded>, object_level: bool) -> Result<CompleteMultipartUpload> {
        let (algorithm, checksum_type) = self.checksum.unzip();
        self.sums.complete_multipart_upload(algorithm, checksum_type, uploaded, object_level)
    }
}
