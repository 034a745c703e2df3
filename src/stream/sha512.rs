//! SHA-512 of one message: by our own kernel on CPUs that have the instructions, else by RustCrypto's.

use std::fmt;

use crate::{digest::Digest, isa::Isa};

const BLOCK: usize = 128;

/// Where the kernel's first schedules, which no rounds hide, pay.
#[cfg(target_arch = "x86_64")]
const MIN_BLOCKS: usize = 16;

/// Folds whole blocks into the state.
pub(crate) fn compress(isa: Isa, state: &mut [u64; 8], blocks: &[[u8; BLOCK]]) {
    #[cfg(target_arch = "x86_64")]
    if !isa.is_portable() && blocks.len() >= MIN_BLOCKS {
        return crate::lanes::sha512::compress(isa, &CONSTANTS, state, blocks);
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = isa;
    sha2::block_api::compress512(state, blocks);
}

/// The state of a message whose bytes come in pieces.
#[derive(Clone)]
pub(crate) struct Sha512 {
    isa: Isa,
    state: [u64; 8],
    hashed: u64,
    /// Its first `hashed % 128` bytes are the message's last ones, which fill no block yet.
    rest: [u8; BLOCK],
}

impl Sha512 {
    pub(super) fn new() -> Self {
        // What asks for an unknown instruction set fails elsewhere, with an error.
        let isa = Isa::selected().unwrap_or(Isa::PORTABLE);
        Self { isa, state: INITIAL, hashed: 0, rest: [0; BLOCK] }
    }

    pub(super) fn update(&mut self, mut bytes: &[u8]) {
        let filled = self.filled();
        self.hashed += bytes.len() as u64;
        if filled > 0 {
            let (head, tail) = bytes.split_at(bytes.len().min(BLOCK - filled));
            self.rest[filled..][..head.len()].copy_from_slice(head);
            if filled + head.len() < BLOCK {
                return;
            }
            compress(self.isa, &mut self.state, &[self.rest]);
            bytes = tail;
        }
        let (blocks, rest) = bytes.as_chunks();
        compress(self.isa, &mut self.state, blocks);
        self.rest[..rest.len()].copy_from_slice(rest);
    }

    pub(super) fn digest(&self) -> Digest {
        let filled = self.filled();
        let mut end = [[0; BLOCK]; 2];
        end[0][..filled].copy_from_slice(&self.rest[..filled]);
        end[0][filled] = 0x80;
        // The length takes the last 16 bytes of a block.
        let blocks = if filled < BLOCK - 16 { 1 } else { 2 };
        end[blocks - 1][BLOCK - 16..].copy_from_slice(&(8 * u128::from(self.hashed)).to_be_bytes());
        let mut state = self.state;
        compress(self.isa, &mut state, &end[..blocks]);
        Digest::new(state.map(u64::to_be_bytes).as_flattened())
    }

    fn filled(&self) -> usize {
        (self.hashed % BLOCK as u64) as usize
    }
}

impl fmt::Debug for Sha512 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sha512")
    }
}

/// FIPS 180-4, section 5.3.5.
pub(crate) const INITIAL: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

/// FIPS 180-4, section 4.2.3.
pub(crate) const CONSTANTS: [u64; 80] = [
    0x428a_2f98_d728_ae22,
    0x7137_4491_23ef_65cd,
    0xb5c0_fbcf_ec4d_3b2f,
    0xe9b5_dba5_8189_dbbc,
    0x3956_c25b_f348_b538,
    0x59f1_11f1_b605_d019,
    0x923f_82a4_af19_4f9b,
    0xab1c_5ed5_da6d_8118,
    0xd807_aa98_a303_0242,
    0x1283_5b01_4570_6fbe,
    0x2431_85be_4ee4_b28c,
    0x550c_7dc3_d5ff_b4e2,
    0x72be_5d74_f27b_896f,
    0x80de_b1fe_3b16_96b1,
    0x9bdc_06a7_25c7_1235,
    0xc19b_f174_cf69_2694,
    0xe49b_69c1_9ef1_4ad2,
    0xefbe_4786_384f_25e3,
    0x0fc1_9dc6_8b8c_d5b5,
    0x240c_a1cc_77ac_9c65,
    0x2de9_2c6f_592b_0275,
    0x4a74_84aa_6ea6_e483,
    0x5cb0_a9dc_bd41_fbd4,
    0x76f9_88da_8311_53b5,
    0x983e_5152_ee66_dfab,
    0xa831_c66d_2db4_3210,
    0xb003_27c8_98fb_213f,
    0xbf59_7fc7_beef_0ee4,
    0xc6e0_0bf3_3da8_8fc2,
    0xd5a7_9147_930a_a725,
    0x06ca_6351_e003_826f,
    0x1429_2967_0a0e_6e70,
    0x27b7_0a85_46d2_2ffc,
    0x2e1b_2138_5c26_c926,
    0x4d2c_6dfc_5ac4_2aed,
    0x5338_0d13_9d95_b3df,
    0x650a_7354_8baf_63de,
    0x766a_0abb_3c77_b2a8,
    0x81c2_c92e_47ed_aee6,
    0x9272_2c85_1482_353b,
    0xa2bf_e8a1_4cf1_0364,
    0xa81a_664b_bc42_3001,
    0xc24b_8b70_d0f8_9791,
    0xc76c_51a3_0654_be30,
    0xd192_e819_d6ef_5218,
    0xd699_0624_5565_a910,
    0xf40e_3585_5771_202a,
    0x106a_a070_32bb_d1b8,
    0x19a4_c116_b8d2_d0c8,
    0x1e37_6c08_5141_ab53,
    0x2748_774c_df8e_eb99,
    0x34b0_bcb5_e19b_48a8,
    0x391c_0cb3_c5c9_5a63,
    0x4ed8_aa4a_e341_8acb,
    0x5b9c_ca4f_7763_e373,
    0x682e_6ff3_d6b2_b8a3,
    0x748f_82ee_5def_b2fc,
    0x78a5_636f_4317_2f60,
    0x84c8_7814_a1f0_ab72,
    0x8cc7_0208_1a64_39ec,
    0x90be_fffa_2363_1e28,
    0xa450_6ceb_de82_bde9,
    0xbef9_a3f7_b2c6_7915,
    0xc671_78f2_e372_532b,
    0xca27_3ece_ea26_619c,
    0xd186_b8c7_21c0_c207,
    0xeada_7dd6_cde0_eb1e,
    0xf57d_4f7f_ee6e_d178,
    0x06f0_67aa_7217_6fba,
    0x0a63_7dc5_a2c8_98a6,
    0x113f_9804_bef9_0dae,
    0x1b71_0b35_131c_471b,
    0x28db_77f5_2304_7d84,
    0x32ca_ab7b_40c7_2493,
    0x3c9e_be0a_15c9_bebc,
    0x431d_67c4_9c10_0d4c,
    0x4cc5_d4be_cb3e_42b6,
    0x597f_299c_fc65_7e2a,
    0x5fcb_6fab_3ad6_faec,
    0x6c44_198c_4a47_5817,
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sha2::Digest as _;

    use super::{INITIAL, Isa, Sha512, compress};

    #[test]
    fn any_number_of_blocks_on_each_instruction_set() {
        let bytes: Vec<u8> = (0..128 * 41).map(|i| (i % 251) as u8).collect();
        for isa in Isa::available() {
            for count in 0..40 {
                for offset in [0, 1, 31] {
                    let blocks = bytes[offset..][..128 * count].as_chunks().0;
                    let (mut state, mut expected) = (INITIAL, INITIAL);
                    compress(isa, &mut state, blocks);
                    sha2::block_api::compress512(&mut expected, blocks);
                    assert_eq!(state, expected, "{count} blocks on {}", isa.name());
                    #[cfg(target_arch = "x86_64")]
                    if !isa.is_portable() {
                        let mut state = INITIAL;
                        crate::lanes::sha512::compress(isa, &super::CONSTANTS, &mut state, blocks);
                        assert_eq!(state, expected, "the kernel, {count} blocks on {}", isa.name());
                    }
                }
            }
        }
    }

    fn pieces(pieces: &[&[u8]]) {
        let (mut ours, mut theirs) = (Sha512::new(), sha2::Sha512::new());
        for piece in pieces {
            ours.update(piece);
            theirs.update(piece);
            assert_eq!(ours.digest().as_bytes(), &theirs.clone().finalize()[..]);
        }
    }

    #[test]
    fn lengths_0_to_300() {
        let bytes: Vec<u8> = (0..300).map(|i| (i % 251) as u8).collect();
        for length in 0..=300 {
            pieces(&[&bytes[..length]]);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_pieces(lengths in proptest::collection::vec(0..3000usize, 0..20)) {
            let bytes: Vec<u8> = (0..3000).map(|i| (i % 251) as u8).collect();
            pieces(&lengths.iter().map(|length| &bytes[3000 - length..]).collect::<Vec<_>>());
        }
    }
}
