//! A numeric to its digits, as the server writes them.
//!
//! Its bytes are the number of groups of four digits, the place of the first group, a sign, how
//! many digits are shown behind the point, and the groups.

use super::super::taker::Taker;
use super::binary::{Mismatch, infinite};

/// Shows a numeric.
pub(super) fn show<T: Taker>(
    bytes: &[u8],
    taker: &mut T,
    buffer: &mut String,
) -> Result<(), Mismatch> {
    let wrong = |found: String| ("a numeric", found);
    let short = || wrong(format!("{} bytes", bytes.len()));
    let (head, groups) = bytes.split_first_chunk::<8>().ok_or_else(short)?;
    let part = |at: usize| [head[at], head[at + 1]];
    let (n_groups, weight) = (u16::from_be_bytes(part(0)), i16::from_be_bytes(part(2)));
    let (sign, scale) = (u16::from_be_bytes(part(4)), u16::from_be_bytes(part(6)));
    if groups.len() != 2 * usize::from(n_groups) {
        return Err(short());
    }
    match sign {
        0 | 0x4000 => (),
        0xC000 => {
            taker.missing();
            return Ok(());
        }
        0xD000 | 0xF000 => {
            taker.refused(infinite());
            return Ok(());
        }
        _ => return Err(wrong(format!("the sign {sign:#x}"))),
    }
    // The group that counts `place` powers of 10,000.
    let group = |place: i32| -> Result<u16, Mismatch> {
        let at = usize::try_from(i32::from(weight) - place).ok();
        let bytes = at.and_then(|at| groups.get(2 * at..2 * at + 2));
        match bytes.map(|pair| u16::from_be_bytes([pair[0], pair[1]])) {
            None => Ok(0),
            Some(digits @ 0..10_000) => Ok(digits),
            Some(digits) => Err(wrong(format!("the digits {digits}"))),
        }
    };
    buffer.clear();
    if sign == 0x4000 {
        buffer.push('-');
    }
    let begin = buffer.len();
    for place in (0..=i32::from(weight).max(0)).rev() {
        push_group(buffer, group(place)?, 4, begin);
    }
    if buffer.len() == begin {
        buffer.push('0');
    }
    if scale > 0 {
        buffer.push('.');
        let mut left = usize::from(scale);
        let mut place = -1;
        while left > 0 {
            let n_digits = left.min(4);
            push_group(buffer, group(place)?, n_digits, usize::MAX);
            left -= n_digits;
            place -= 1;
        }
    }
    taker.text(buffer);
    Ok(())
}

/// The first `n_digits` of a group's four digits, without zeros at `begin`.
fn push_group(text: &mut String, group: u16, n_digits: usize, begin: usize) {
    for power in [1000, 100, 10, 1].into_iter().take(n_digits) {
        let digit = group / power % 10;
        if digit != 0 || text.len() != begin {
            text.push(char::from(b'0' + digit as u8));
        }
    }
}
