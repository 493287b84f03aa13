//! Typed rows: a serde serializer that puts the fields of a flat struct or map into columns by
//! name.
//!
//! Nothing is built in between: each value goes from the row into its column. What cannot be read
//! is a fault of its column, and the row goes on, so that the reason which a row gets does not
//! depend on the order of its fields.

use std::fmt::{self, Display, Write};

use samescore_core::error::{Code, Error, Result};
use serde::ser::{self, Impossible, Serialize, Serializer};

use crate::scratch::{Scratch, Target};

/// Reads one row into `scratch`.
///
/// # Errors
/// If the row is no struct or map with text keys.
pub(crate) fn read<T: Serialize + ?Sized>(row: &T, scratch: &mut Scratch) -> Result<()> {
    row.serialize(Fields { scratch, slot: None }).map_err(|Refused(error)| error)
}

/// The house's error, where serde asks for one of its own kind.
#[derive(Debug)]
pub(crate) struct Refused(Error);

impl Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Refused {}

impl ser::Error for Refused {
    fn custom<T: Display>(message: T) -> Self {
        Refused(Error::new(Code::BadValue, message.to_string()))
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Refused(error)
    }
}

fn no_row(found: &str) -> Refused {
    let message = format!("expected a row as a struct or map, found {found}");
    Refused(Error::new(Code::WrongKind, message))
}

/// The fields of the row under way.
struct Fields<'a> {
    scratch: &'a mut Scratch,
    /// The column of the map key that was read last.
    slot: Option<usize>,
}

impl Fields<'_> {
    fn value<T: Serialize + ?Sized>(&mut self, slot: Option<usize>, value: &T) {
        if let Some(slot) = slot {
            self.scratch
                .set(slot, |target| value.serialize(Cell(target)).map_err(|Refused(error)| error));
        }
    }
}

/// Refuses the kinds of value that serde names and a position cannot hold.
macro_rules! refuse {
    ($refuse:expr; $($method:ident($($arg:ty),*) -> $ok:ty = $found:literal;)+) => {
        $(fn $method(self, $(_: $arg),*) -> Result<$ok, Refused> {
            $refuse(self, $found)
        })+
    };
}

/// Refuses what holds other values.
macro_rules! refuse_nested {
    ($refuse:expr) => {
        refuse! { $refuse;
            serialize_seq(Option<usize>) -> Self::SerializeSeq = "a list";
            serialize_tuple(usize) -> Self::SerializeTuple = "a tuple";
            serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct = "a tuple";
            serialize_tuple_variant(&'static str, u32, &'static str, usize)
                -> Self::SerializeTupleVariant = "an enum with content";
            serialize_struct_variant(&'static str, u32, &'static str, usize)
                -> Self::SerializeStructVariant = "an enum with content";
            serialize_bytes(&[u8]) -> Self::Ok = "bytes";
        }

        fn serialize_newtype_variant<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: &T,
        ) -> Result<Self::Ok, Refused> {
            $refuse(self, "an enum with content")
        }
    };
}

impl Serializer for Fields<'_> {
    type Ok = ();
    type Error = Refused;
    type SerializeSeq = Impossible<(), Refused>;
    type SerializeTuple = Impossible<(), Refused>;
    type SerializeTupleStruct = Impossible<(), Refused>;
    type SerializeTupleVariant = Impossible<(), Refused>;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), Refused>;

    refuse_nested!(|_, found| Err(no_row(found)));
    refuse! { |_, found| Err(no_row(found));
        serialize_bool(bool) -> () = "a boolean";
        serialize_i8(i8) -> () = "a number";
        serialize_i16(i16) -> () = "a number";
        serialize_i32(i32) -> () = "a number";
        serialize_i64(i64) -> () = "a number";
        serialize_u8(u8) -> () = "a number";
        serialize_u16(u16) -> () = "a number";
        serialize_u32(u32) -> () = "a number";
        serialize_u64(u64) -> () = "a number";
        serialize_f32(f32) -> () = "a number";
        serialize_f64(f64) -> () = "a number";
        serialize_char(char) -> () = "a text";
        serialize_str(&str) -> () = "a text";
        serialize_none() -> () = "nothing";
        serialize_unit() -> () = "nothing";
        serialize_unit_variant(&'static str, u32, &'static str) -> () = "a text";
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Refused> {
        value.serialize(self)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Refused> {
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Refused> {
        value.serialize(self)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, Refused> {
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Refused> {
        Ok(self)
    }
}

impl ser::SerializeStruct for Fields<'_> {
    type Ok = ();
    type Error = Refused;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Refused> {
        let slot = self.scratch.field(name);
        self.value(slot, value);
        Ok(())
    }

    fn end(self) -> Result<(), Refused> {
        Ok(())
    }
}

impl ser::SerializeMap for Fields<'_> {
    type Ok = ();
    type Error = Refused;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Refused> {
        self.slot = key.serialize(Name(self.scratch))?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        let slot = self.slot.take();
        self.value(slot, value);
        Ok(())
    }

    fn end(self) -> Result<(), Refused> {
        Ok(())
    }
}

/// The key of a map entry; gives the column.
struct Name<'a>(&'a mut Scratch);

fn no_name<T>(found: &str) -> Result<T, Refused> {
    let message = format!("expected field names as text, found {found}");
    Err(Refused(Error::new(Code::WrongKind, message)))
}

impl Serializer for Name<'_> {
    type Ok = Option<usize>;
    type Error = Refused;
    type SerializeSeq = Impossible<Self::Ok, Refused>;
    type SerializeTuple = Impossible<Self::Ok, Refused>;
    type SerializeTupleStruct = Impossible<Self::Ok, Refused>;
    type SerializeTupleVariant = Impossible<Self::Ok, Refused>;
    type SerializeMap = Impossible<Self::Ok, Refused>;
    type SerializeStruct = Impossible<Self::Ok, Refused>;
    type SerializeStructVariant = Impossible<Self::Ok, Refused>;

    refuse_nested!(|_, found| no_name(found));
    refuse! { |_, found| no_name(found);
        serialize_bool(bool) -> Self::Ok = "a boolean";
        serialize_i8(i8) -> Self::Ok = "a number";
        serialize_i16(i16) -> Self::Ok = "a number";
        serialize_i32(i32) -> Self::Ok = "a number";
        serialize_i64(i64) -> Self::Ok = "a number";
        serialize_u8(u8) -> Self::Ok = "a number";
        serialize_u16(u16) -> Self::Ok = "a number";
        serialize_u32(u32) -> Self::Ok = "a number";
        serialize_u64(u64) -> Self::Ok = "a number";
        serialize_f32(f32) -> Self::Ok = "a number";
        serialize_f64(f64) -> Self::Ok = "a number";
        serialize_none() -> Self::Ok = "nothing";
        serialize_unit() -> Self::Ok = "nothing";
        serialize_unit_struct(&'static str) -> Self::Ok = "nothing";
        serialize_map(Option<usize>) -> Self::SerializeMap = "a map";
        serialize_struct(&'static str, usize) -> Self::SerializeStruct = "a struct";
    }

    fn serialize_str(self, name: &str) -> Result<Self::Ok, Refused> {
        Ok(self.0.field(name))
    }

    fn serialize_char(self, c: char) -> Result<Self::Ok, Refused> {
        Ok(self.0.field(c.encode_utf8(&mut [0; 4])))
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
    ) -> Result<Self::Ok, Refused> {
        Ok(self.0.field(name))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Self::Ok, Refused> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Self::Ok, Refused> {
        value.serialize(self)
    }
}

/// The value of a field whose column is known.
struct Cell<'a>(Target<'a>);

impl Cell<'_> {
    fn refuse<T>(self, found: impl Display) -> Result<T, Refused> {
        Err(Refused(self.0.refused(found)))
    }

    fn integer(self, value: i128) -> Result<(), Refused> {
        Ok(self.0.integer(value)?)
    }
}

impl Serializer for Cell<'_> {
    type Ok = ();
    type Error = Refused;
    type SerializeSeq = Impossible<(), Refused>;
    type SerializeTuple = Impossible<(), Refused>;
    type SerializeTupleStruct = Impossible<(), Refused>;
    type SerializeTupleVariant = Impossible<(), Refused>;
    type SerializeMap = Impossible<(), Refused>;
    type SerializeStruct = Impossible<(), Refused>;
    type SerializeStructVariant = Impossible<(), Refused>;

    refuse_nested!(Cell::refuse);
    refuse! { Cell::refuse;
        serialize_map(Option<usize>) -> Self::SerializeMap = "a map";
        serialize_struct(&'static str, usize) -> Self::SerializeStruct = "a struct";
    }

    fn serialize_bool(self, value: bool) -> Result<(), Refused> {
        if !self.0.is_num() {
            return self.refuse(format_args!("boolean {value}"));
        }
        Ok(self.0.num(f64::from(u8::from(value)))?)
    }

    fn serialize_i8(self, value: i8) -> Result<(), Refused> {
        self.integer(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), Refused> {
        self.integer(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), Refused> {
        self.integer(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<(), Refused> {
        self.integer(value.into())
    }

    fn serialize_i128(self, value: i128) -> Result<(), Refused> {
        self.integer(value)
    }

    fn serialize_u8(self, value: u8) -> Result<(), Refused> {
        self.integer(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), Refused> {
        self.integer(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), Refused> {
        self.integer(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), Refused> {
        self.integer(value.into())
    }

    fn serialize_u128(self, value: u128) -> Result<(), Refused> {
        match i128::try_from(value) {
            Ok(value) => self.integer(value),
            Err(_) if self.0.is_num() => Ok(self.0.cell(&value.to_string())?),
            Err(_) => self.refuse(format_args!("number {value}")),
        }
    }

    fn serialize_f32(self, value: f32) -> Result<(), Refused> {
        Ok(self.0.num(f64::from(value))?)
    }

    fn serialize_f64(self, value: f64) -> Result<(), Refused> {
        Ok(self.0.num(value)?)
    }

    fn serialize_char(self, value: char) -> Result<(), Refused> {
        Ok(self.0.cell(value.encode_utf8(&mut [0; 4]))?)
    }

    fn serialize_str(self, value: &str) -> Result<(), Refused> {
        Ok(self.0.cell(value)?)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
    ) -> Result<(), Refused> {
        Ok(self.0.cell(name)?)
    }

    fn serialize_none(self) -> Result<(), Refused> {
        self.0.missing();
        Ok(())
    }

    fn serialize_unit(self) -> Result<(), Refused> {
        self.serialize_none()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Refused> {
        self.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Refused> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Refused> {
        value.serialize(self)
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), Refused> {
        self.0.text.clear();
        write!(self.0.text, "{value}").map_err(<Refused as ser::Error>::custom)?;
        Ok(self.0.displayed()?)
    }
}
