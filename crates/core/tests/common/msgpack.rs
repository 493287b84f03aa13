//! MessagePack as a tree: to look into a stored state, and to break one on purpose.

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Nil,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(Vec<u8>),
    Bytes(Vec<u8>),
    List(Vec<Value>),
    Map(Vec<(Value, Value)>),
}

impl Value {
    /// The one value that the bytes hold.
    ///
    /// # Panics
    /// If they hold another form than our codec writes.
    pub fn read(mut bytes: &[u8]) -> Value {
        let value = read(&mut bytes);
        assert!(bytes.is_empty(), "bytes behind the value");
        value
    }

    /// The bytes, each length in its shortest form.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Value::Nil => out.push(0xc0),
            Value::Bool(x) => out.push(0xc2 + u8::from(*x)),
            Value::Int(x) => write_int(*x, out),
            Value::Float(x) => {
                out.push(0xcb);
                out.extend(x.to_bits().to_be_bytes());
            }
            Value::Text(x) => {
                write_length(x.len(), Some((0xa0, 32)), [Some(0xd9), Some(0xda), Some(0xdb)], out);
                out.extend(x);
            }
            Value::Bytes(x) => {
                write_length(x.len(), None, [Some(0xc4), Some(0xc5), Some(0xc6)], out);
                out.extend(x);
            }
            Value::List(x) => {
                write_length(x.len(), Some((0x90, 16)), [None, Some(0xdc), Some(0xdd)], out);
                x.iter().for_each(|value| value.write(out));
            }
            Value::Map(x) => {
                write_length(x.len(), Some((0x80, 16)), [None, Some(0xde), Some(0xdf)], out);
                for (key, value) in x {
                    key.write(out);
                    value.write(out);
                }
            }
        }
    }

    /// Every value of the tree, this one first, with its path of keys and positions.
    pub fn visit<'a>(&'a self, path: &str, see: &mut dyn FnMut(&str, &'a Value)) {
        see(path, self);
        match self {
            Value::List(x) => {
                for (i, value) in x.iter().enumerate() {
                    value.visit(&format!("{path}[{i}]"), see);
                }
            }
            Value::Map(x) => {
                for (key, value) in x {
                    let name = match key {
                        Value::Text(name) => String::from_utf8_lossy(name).into_owned(),
                        other => format!("{other:?}"),
                    };
                    value.visit(&format!("{path}.{name}"), see);
                }
            }
            _ => {}
        }
    }

    /// How many values the tree has, keys included.
    pub fn n_values(&self) -> usize {
        1 + match self {
            Value::List(x) => x.iter().map(Value::n_values).sum(),
            Value::Map(x) => x.iter().map(|(k, v)| k.n_values() + v.n_values()).sum(),
            _ => 0,
        }
    }

    /// The value number `n` in the order of the bytes, keys included.
    pub fn nth_mut(&mut self, n: usize) -> Option<&mut Value> {
        fn find<'a>(value: &'a mut Value, n: &mut usize) -> Option<&'a mut Value> {
            if *n == 0 {
                return Some(value);
            }
            *n -= 1;
            match value {
                Value::List(x) => x.iter_mut().find_map(|v| find(v, n)),
                Value::Map(x) => x.iter_mut().flat_map(|(k, v)| [k, v]).find_map(|v| find(v, n)),
                _ => None,
            }
        }
        let mut n = n;
        find(self, &mut n)
    }
}

fn take<'a>(bytes: &mut &'a [u8], n: usize) -> &'a [u8] {
    let (head, tail) = bytes.split_at(n);
    *bytes = tail;
    head
}

fn unsigned(bytes: &mut &[u8], n: usize) -> u64 {
    take(bytes, n).iter().fold(0, |x, &byte| x << 8 | u64::from(byte))
}

fn read(bytes: &mut &[u8]) -> Value {
    let tag = take(bytes, 1)[0];
    let sized = |bytes: &mut &[u8], log: u8| unsigned(bytes, 1 << log) as usize;
    match tag {
        0x00..=0x7f => Value::Int(i128::from(tag)),
        0x80..=0x8f => read_map(bytes, usize::from(tag & 15)),
        0x90..=0x9f => read_list(bytes, usize::from(tag & 15)),
        0xa0..=0xbf => Value::Text(take(bytes, usize::from(tag & 31)).to_vec()),
        0xc0 => Value::Nil,
        0xc2 | 0xc3 => Value::Bool(tag == 0xc3),
        0xc4..=0xc6 => {
            let n = sized(bytes, tag - 0xc4);
            Value::Bytes(take(bytes, n).to_vec())
        }
        0xcb => Value::Float(f64::from_bits(unsigned(bytes, 8))),
        0xcc..=0xcf => Value::Int(i128::from(unsigned(bytes, 1 << (tag - 0xcc)))),
        0xd0..=0xd3 => {
            let n = 1 << (tag - 0xd0);
            let shift = 64 - 8 * n as u32;
            Value::Int(i128::from(((unsigned(bytes, n) << shift) as i64) >> shift))
        }
        0xd9..=0xdb => {
            let n = sized(bytes, tag - 0xd9);
            Value::Text(take(bytes, n).to_vec())
        }
        0xdc | 0xdd => {
            let n = sized(bytes, tag - 0xdb);
            read_list(bytes, n)
        }
        0xde | 0xdf => {
            let n = sized(bytes, tag - 0xdd);
            read_map(bytes, n)
        }
        0xe0..=0xff => Value::Int(i128::from(tag as i8)),
        _ => panic!("the codec does not write tag {tag:#x}"),
    }
}

fn read_list(bytes: &mut &[u8], n: usize) -> Value {
    Value::List((0..n).map(|_| read(bytes)).collect())
}

fn read_map(bytes: &mut &[u8], n: usize) -> Value {
    let pair = |bytes: &mut &[u8]| {
        let key = read(bytes);
        (key, read(bytes))
    };
    Value::Map((0..n).map(|_| pair(bytes)).collect())
}

fn write_int(x: i128, out: &mut Vec<u8>) {
    let (tag, n) = match x {
        0..=0x7f => return out.push(x as u8),
        -32..=-1 => return out.push(x as i8 as u8),
        0x80..=0xff => (0xcc, 1),
        0x100..=0xffff => (0xcd, 2),
        0x1_0000..=0xffff_ffff => (0xce, 4),
        _ if x > 0 => (0xcf, 8),
        -0x80..=-1 => (0xd0, 1),
        -0x8000..=-1 => (0xd1, 2),
        -0x8000_0000..=-1 => (0xd2, 4),
        _ => (0xd3, 8),
    };
    out.push(tag);
    out.extend(&x.to_be_bytes()[16 - n..]);
}

fn write_length(n: usize, short: Option<(u8, usize)>, tags: [Option<u8>; 3], out: &mut Vec<u8>) {
    if let Some((tag, below)) = short {
        if n < below {
            return out.push(tag | n as u8);
        }
    }
    let widths = [(1, 0xff), (2, 0xffff), (4, 0xffff_ffff)];
    for (tag, (width, max)) in tags.into_iter().zip(widths) {
        if let (Some(tag), true) = (tag, n <= max) {
            out.push(tag);
            out.extend(&(n as u64).to_be_bytes()[8 - width..]);
            return;
        }
    }
    panic!("a length of {n} has no form");
}
