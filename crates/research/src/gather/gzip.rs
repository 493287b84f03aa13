//! Files packed by gzip, with a bound on what they may become.

use std::io::{self, ErrorKind, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use samescore_core::error::{Code, Error, Result};

/// A file may not claim more than this many bytes when it is unpacked.
pub(super) const UNPACKED_BYTES_MAX: u64 = 64 << 30;

/// What the bytes of a file are unpacked.
///
/// # Errors
/// If they are not gzip to the end, are damaged, or become more than [`UNPACKED_BYTES_MAX`].
pub(super) fn unpacked(path: &Path, bytes: &[u8]) -> Result<Vec<u8>> {
    unpack(path, bytes, UNPACKED_BYTES_MAX)
}

fn unpack(path: &Path, bytes: &[u8], n_bytes_max: u64) -> Result<Vec<u8>> {
    let mut unpacked = Vec::new();
    let read = Unpacking::new(bytes, n_bytes_max).read_to_end(&mut unpacked);
    read.map(|_| unpacked).map_err(|e| failed(path, &e))
}

/// A file that is unpacked as it is read.
pub(super) fn unpacking(packed: impl Read) -> impl Read {
    Unpacking::new(packed, UNPACKED_BYTES_MAX)
}

struct Unpacking<R> {
    decoder: MultiGzDecoder<R>,
    /// How many bytes it may still become.
    n_left: u64,
}

impl<R: Read> Unpacking<R> {
    fn new(packed: R, n_bytes_max: u64) -> Self {
        Unpacking { decoder: MultiGzDecoder::new(packed), n_left: n_bytes_max }
    }
}

impl<R: Read> Read for Unpacking<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.decoder.read(buffer)?;
        self.n_left = self.n_left.checked_sub(n as u64).ok_or(ErrorKind::FileTooLarge)?;
        Ok(n)
    }
}

/// What a failure of unpacking a file is.
pub(super) fn failed(path: &Path, error: &io::Error) -> Error {
    let shown = path.display();
    let what = match error.kind() {
        ErrorKind::FileTooLarge => {
            let message = format!(
                "`{shown}`: expected at most {UNPACKED_BYTES_MAX} bytes unpacked, found more"
            );
            return Error::new(Code::LimitExceeded, message);
        }
        ErrorKind::InvalidInput if error.to_string().contains("header") => {
            let message = format!("`{shown}`: expected bytes packed by gzip, found others");
            return Error::new(Code::BadValue, message)
                .remedy("name the file .csv if it is not packed");
        }
        ErrorKind::UnexpectedEof => "found its end too early".to_owned(),
        _ => format!("found damaged ones ({error})"),
    };
    let message = format!("`{shown}`: expected bytes packed by gzip, {what}");
    Error::new(Code::BadValue, message).remedy("copy or write the file again")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(text).unwrap();
        packer.finish().unwrap()
    }

    #[test]
    fn all_members_are_unpacked_and_nothing_else() {
        let path = Path::new("t.csv.gz");
        let two = [packed(b"a\n"), packed(b"1\n")].concat();
        assert_eq!(unpacked(path, &two).unwrap(), b"a\n1\n");
        let message = |bytes: &[u8]| unpacked(path, bytes).unwrap_err().to_string();
        let whole = packed(b"a\n1\n2\n");
        for cut in 1..whole.len() {
            let found = message(&whole[..cut]);
            assert!(found.contains("found its end too early"), "{cut}: {found}");
        }
        assert!(
            message(b"a,b,c,d,e,f\n1,2,3,4,5,6\n").contains("found others (name the file .csv")
        );
        assert!(message(&[&whole[..], b"rest"].concat()).starts_with("`t.csv.gz`: expected bytes"));
        let mut wrong = whole.clone();
        let n = wrong.len();
        wrong[n - 5] ^= 1;
        assert!(message(&wrong).contains("found damaged ones"));
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let bomb = packed(&vec![b'0'; 1 << 20]);
        assert!(bomb.len() < 1 << 14);
        let refused = unpack(Path::new("b.csv.gz"), &bomb, 1 << 16).unwrap_err();
        assert_eq!(refused.code(), Code::LimitExceeded);
        assert!(refused.to_string().contains("bytes unpacked, found more"));
        assert_eq!(unpack(Path::new("b.csv.gz"), &bomb, 1 << 20).unwrap().len(), 1 << 20);
    }
}
