//! Flatbuffers, as far as the footer and the messages of an Arrow file need them. Every offset is
//! held against the bytes; what points outside them is not there.

/// A table in its bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// A vector in its bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vector<'a> {
    bytes: &'a [u8],
    /// Of its first item.
    at: usize,
    len: usize,
    item_bytes: usize,
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_le_bytes)
}

/// Where the offset that stands at `at` leads.
fn follow(bytes: &[u8], at: usize) -> Option<usize> {
    let to = at.checked_add(u32_at(bytes, at)? as usize)?;
    (to < bytes.len()).then_some(to)
}

impl<'a> Table<'a> {
    /// The root of a buffer.
    pub(super) fn root(bytes: &'a [u8]) -> Option<Self> {
        Some(Table { bytes, at: follow(bytes, 0)? })
    }

    /// Where a field is; `None` if the table leaves it out.
    fn field(&self, slot: usize) -> Option<usize> {
        let back = i64::from(array(self.bytes, self.at).map(i32::from_le_bytes)?);
        let directory = usize::try_from(i64::try_from(self.at).ok()? - back).ok()?;
        let entry = 4 + 2 * slot;
        let n_bytes = usize::from(array(self.bytes, directory).map(u16::from_le_bytes)?);
        if entry + 2 > n_bytes {
            return None;
        }
        let offset = array(self.bytes, directory + entry).map(u16::from_le_bytes)?;
        (offset != 0).then_some(self.at + usize::from(offset))
    }

    pub(super) fn u8(&self, slot: usize) -> Option<u8> {
        self.field(slot).and_then(|at| self.bytes.get(at).copied())
    }

    pub(super) fn i16(&self, slot: usize) -> Option<i16> {
        self.field(slot).and_then(|at| array(self.bytes, at).map(i16::from_le_bytes))
    }

    pub(super) fn i32(&self, slot: usize) -> Option<i32> {
        self.field(slot).and_then(|at| array(self.bytes, at).map(i32::from_le_bytes))
    }

    pub(super) fn i64(&self, slot: usize) -> Option<i64> {
        self.field(slot).and_then(|at| array(self.bytes, at).map(i64::from_le_bytes))
    }

    pub(super) fn table(&self, slot: usize) -> Option<Table<'a>> {
        Some(Table { bytes: self.bytes, at: follow(self.bytes, self.field(slot)?)? })
    }

    pub(super) fn text(&self, slot: usize) -> Option<&'a str> {
        let at = follow(self.bytes, self.field(slot)?)?;
        let n_bytes = u32_at(self.bytes, at)? as usize;
        let bytes = self.bytes.get(at + 4..(at + 4).checked_add(n_bytes)?)?;
        std::str::from_utf8(bytes).ok()
    }

    /// A vector of items of so many bytes; `Some` only if all of it is there.
    pub(super) fn vector(&self, slot: usize, item_bytes: usize) -> Option<Vector<'a>> {
        let at = follow(self.bytes, self.field(slot)?)?;
        let len = u32_at(self.bytes, at)? as usize;
        let end = (at + 4).checked_add(len.checked_mul(item_bytes)?)?;
        (end <= self.bytes.len()).then_some(Vector {
            bytes: self.bytes,
            at: at + 4,
            len,
            item_bytes,
        })
    }

    /// The tables of a vector of tables; `None` if one is not there.
    pub(super) fn tables(&self, slot: usize) -> Option<Vec<Table<'a>>> {
        let items = self.vector(slot, 4)?;
        let table = |at: usize| Some(Table { bytes: self.bytes, at: follow(self.bytes, at)? });
        (0..items.len).map(|i| table(items.at + 4 * i)).collect()
    }
}

impl Vector<'_> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The number at `offset` within item `i`, which is one of the vector's.
    pub(super) fn i64(&self, i: usize, offset: usize) -> Option<i64> {
        let at = self.at + i * self.item_bytes + offset;
        (i < self.len).then(|| array(self.bytes, at).map(i64::from_le_bytes)).flatten()
    }

    pub(super) fn i32(&self, i: usize, offset: usize) -> Option<i32> {
        let at = self.at + i * self.item_bytes + offset;
        (i < self.len).then(|| array(self.bytes, at).map(i32::from_le_bytes)).flatten()
    }
}
