//! What passes the rings: 32 bytes, as a transaction has.

#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct Record {
    pub id: u64,
    pub price: i64,
    pub size: u32,
    pub side: u8,
    pub instrument: u16,
    pub at: u64,
}

impl Record {
    #[inline]
    pub fn new(id: u64) -> Self {
        Self { id, price: (id * 3) as i64, size: id as u32, side: (id & 1) as u8, instrument: 7, at: id }
    }
}
