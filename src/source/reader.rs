//! How one thread reads the tiles of several sources.

use std::ops::Range;

use super::{
    OpenFile, Source, Way,
    ahead::{Ahead, Windows},
    system::Extent,
};
use crate::error::Result;

/// Bytes between the copies of two tiles. Tiles a power of two apart would share cache sets.
const GAP: usize = 192;

/// Bytes that get a digest of their own: a part, or less than a part where CRCs are cut to keep all threads busy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// Index of the source.
    pub(crate) source: usize,
    pub(crate) range: Range<u64>,
}

impl Chunk {
    pub(crate) fn len(&self) -> u64 {
        self.range.end - self.range.start
    }
}

/// The next bytes of a chunk that is read from its start to its end.
#[derive(Clone, Debug)]
pub(crate) struct NextTile {
    /// Chunks that are read side by side have different slots.
    pub(crate) slot: usize,
    pub(crate) chunk: Chunk,
    /// Where the chunk ends.
    pub(crate) end: u64,
}

/// Reads the tiles of several sources, for one thread.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    sources: &'a [Source<'a>],
    windows: Windows<'a>,
    buffer: Vec<u8>,
    zeros: Vec<u8>,
    /// For each slot, what is known of a sparse file where it stands.
    extents: Vec<Option<(usize, Extent)>>,
}

/// Where the bytes of a tile are.
enum Place {
    Lent,
    Window,
    Buffer(Range<usize>),
    Hole,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(sources: &'a [Source<'a>], ahead: &Ahead<'a>) -> Self {
        let windows = Windows::new(sources, ahead);
        Self { sources, windows, buffer: Vec::new(), zeros: Vec::new(), extents: Vec::new() }
    }

    /// The bytes of each tile, all valid until the next call. What cannot be read is an error of its own:
    /// [`Error::FileChanged`](crate::Error::FileChanged) if the file ends before the tile does,
    /// [`Error::Io`](crate::Error::Io) as the system says.
    pub(crate) fn read(&mut self, tiles: &[NextTile]) -> Vec<Result<&[u8]>> {
        let mut room = 0;
        let mut places = Vec::with_capacity(tiles.len());
        for tile in tiles {
            places.push(self.place(tile, &mut room));
        }
        if self.buffer.len() < room {
            self.buffer.resize(room, 0);
        }
        let mut outcomes = Vec::with_capacity(tiles.len());
        for (tile, place) in tiles.iter().zip(&places) {
            outcomes.push(match (place, &self.sources[tile.chunk.source]) {
                (Place::Buffer(place), Source::File(file)) => {
                    file.read_exact(&mut self.buffer[place.clone()], tile.chunk.range.start)
                }
                (Place::Window, _) => self.windows.wait(tile),
                _ => Ok(()),
            });
        }
        let bytes = |(tile, place): (&NextTile, Place)| match place {
            Place::Lent => self.lent(&tile.chunk),
            Place::Window => self.windows.bytes(tile),
            Place::Buffer(place) => &self.buffer[place],
            Place::Hole => &self.zeros[..tile.chunk.len() as usize],
        };
        tiles.iter().zip(places).map(bytes).zip(outcomes).map(|(bytes, outcome)| outcome.map(|()| bytes)).collect()
    }

    /// Where the tile's bytes will be; windows are asked for here, so that they are read while the others are copied.
    fn place(&mut self, tile: &NextTile, room: &mut usize) -> Place {
        let Source::File(file) = &self.sources[tile.chunk.source] else {
            return Place::Lent;
        };
        if file.sparse && self.in_hole(file, tile) {
            let length = tile.chunk.len() as usize;
            if self.zeros.len() < length {
                self.zeros = vec![0; length];
            }
            return Place::Hole;
        }
        match file.way {
            Way::Mapped(_) => Place::Lent,
            Way::Copied => {
                let start = *room;
                let end = start + tile.chunk.len() as usize;
                *room = end + GAP;
                Place::Buffer(start..end)
            }
            Way::Ahead { .. } => {
                self.windows.request(tile);
                Place::Window
            }
        }
    }

    fn in_hole(&mut self, file: &OpenFile, tile: &NextTile) -> bool {
        if self.extents.len() <= tile.slot {
            self.extents.resize(tile.slot + 1, None);
        }
        let Chunk { source, range } = &tile.chunk;
        let known = &mut self.extents[tile.slot];
        match known {
            Some((of, extent)) if of == source && extent.range.contains(&range.start) => {}
            _ => *known = Some((*source, file.extent(range.start))),
        }
        known.as_ref().is_some_and(|(_, extent)| extent.hole && range.end <= extent.range.end)
    }

    fn lent(&self, chunk: &Chunk) -> &[u8] {
        let bytes = match &self.sources[chunk.source] {
            Source::Bytes(bytes) => bytes,
            Source::Memory(bytes) => &bytes[..],
            Source::File(OpenFile { way: Way::Mapped(map), .. }) => map.bytes(),
            Source::File(_) => &[],
        };
        &bytes[chunk.range.start as usize..chunk.range.end as usize]
    }
}
