//! One thread's way to the bytes of several sources.

use std::ops::Range;

use super::{
    OpenFile, Source, Way,
    ahead::{Ahead, Windows},
    system::Extent,
};
use crate::error::Result;

/// Between the copies of steps: were they a power of two apart, they would share the cache's sets.
const GAP: usize = 192;

/// A range of one of several sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) source: usize,
    pub(crate) range: Range<u64>,
}

impl Span {
    pub(crate) fn len(&self) -> u64 {
        self.range.end - self.range.start
    }
}

/// The next bytes of a range that is read from its start to its end.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// Ranges that are read side by side have different slots.
    pub(crate) slot: usize,
    pub(crate) span: Span,
    /// Where the range ends.
    pub(crate) end: u64,
}

/// One thread's way to the bytes of several sources.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    sources: &'a [Source<'a>],
    windows: Windows<'a>,
    buffer: Vec<u8>,
    zeros: Vec<u8>,
    /// For each slot, what is known of a sparse file where it stands.
    extents: Vec<Option<(usize, Extent)>>,
}

/// Where a step's bytes are.
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

    /// The bytes of each step, all valid until the next call. What cannot be read is an error of its own:
    /// [`Error::FileChanged`](crate::Error::FileChanged) if the file ends before the step does,
    /// [`Error::Io`](crate::Error::Io) as the system says.
    pub(crate) fn read(&mut self, steps: &[Step]) -> Vec<Result<&[u8]>> {
        let mut room = 0;
        let mut places = Vec::with_capacity(steps.len());
        for step in steps {
            places.push(self.place(step, &mut room));
        }
        if self.buffer.len() < room {
            self.buffer.resize(room, 0);
        }
        let mut outcomes = Vec::with_capacity(steps.len());
        for (step, place) in steps.iter().zip(&places) {
            outcomes.push(match (place, &self.sources[step.span.source]) {
                (Place::Buffer(place), Source::File(file)) => {
                    file.read_exact(&mut self.buffer[place.clone()], step.span.range.start)
                }
                (Place::Window, _) => self.windows.wait(step),
                _ => Ok(()),
            });
        }
        let bytes = |(step, place): (&Step, Place)| match place {
            Place::Lent => self.lent(&step.span),
            Place::Window => self.windows.bytes(step),
            Place::Buffer(place) => &self.buffer[place],
            Place::Hole => &self.zeros[..step.span.len() as usize],
        };
        steps.iter().zip(places).map(bytes).zip(outcomes).map(|(bytes, outcome)| outcome.map(|()| bytes)).collect()
    }

    /// Where the step's bytes will be; windows are asked for here, so that they are read while the others are copied.
    fn place(&mut self, step: &Step, room: &mut usize) -> Place {
        let Source::File(file) = &self.sources[step.span.source] else {
            return Place::Lent;
        };
        if file.sparse && self.in_hole(file, step) {
            let length = step.span.len() as usize;
            if self.zeros.len() < length {
                self.zeros = vec![0; length];
            }
            return Place::Hole;
        }
        match file.way {
            Way::Mapped(_) => Place::Lent,
            Way::Copied => {
                let start = *room;
                let end = start + step.span.len() as usize;
                *room = end + GAP;
                Place::Buffer(start..end)
            }
            Way::Ahead { .. } => {
                self.windows.want(step);
                Place::Window
            }
        }
    }

    fn in_hole(&mut self, file: &OpenFile, step: &Step) -> bool {
        if self.extents.len() <= step.slot {
            self.extents.resize(step.slot + 1, None);
        }
        let Span { source, range } = &step.span;
        let known = &mut self.extents[step.slot];
        match known {
            Some((of, extent)) if of == source && extent.range.contains(&range.start) => {}
            _ => *known = Some((*source, file.extent(range.start))),
        }
        known.as_ref().is_some_and(|(_, extent)| extent.hole && range.end <= extent.range.end)
    }

    fn lent(&self, span: &Span) -> &[u8] {
        let bytes = match &self.sources[span.source] {
            Source::Bytes(bytes) => bytes,
            Source::Memory(bytes) => &bytes[..],
            Source::File(OpenFile { way: Way::Mapped(map), .. }) => map.bytes(),
            Source::File(_) => &[],
        };
        &bytes[span.range.start as usize..span.range.end as usize]
    }
}
