//! What the flat list of a message is made of.

/// Where a text stands, without its quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Place {
    pub(super) fn of(self, json: &[u8]) -> &[u8] {
        json.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Whole(u64),
    Negative,
    /// Not whole, or over 64 bits.
    Broken,
    Text(Place),
    /// The only value of a list whose levels were read already: which.
    Levels(Range),
    /// A text with escapes: no field that is read has any.
    Escaped,
    /// Keys and values in turn follow; the index after the last.
    Object(u32),
    /// The index after the last of the values that follow.
    List(u32),
}

/// Places in the list of levels that were read already.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    pub(super) start: u32,
    pub(super) end: u32,
}
