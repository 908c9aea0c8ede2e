//! From a line of text to a command, or to an error that names the field.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::error::Failure;

/// Longest line that is read, in bytes without its line end (our choice: a stroke of 1,000 points is 20 KiB).
pub const MAX_LINE: usize = 64 * 1024;

/// The command whose `id` also names the thing it is about: points with the same `id` belong to one stroke.
const NAMED_BY_ID: &str = "stroke";

/// A command and the number by which its reply is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Request<C> {
    /// Comes back in the reply.
    pub id: Option<u64>,
    /// What to do.
    pub command: C,
}

/// A line that is no command; answer it with [`Event::reply`](super::Event::reply) and read on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The line's number, where it could be read.
    pub id: Option<u64>,
    /// What is wrong with it.
    pub failure: Failure,
}

/// The commands of one side.
pub trait Commands: Sized {
    /// Every word that may stand behind `do`.
    const WORDS: &'static [&'static str];

    /// Reads the fields of the command `word`; `None` if there is no such command.
    fn read(word: &str, fields: Fields) -> Option<Result<Self, String>>;
}

/// What a command holds beside `do` and `id`.
#[derive(Debug)]
pub struct Fields(Map<String, Value>);

impl Fields {
    /// Reads them as `T`.
    ///
    /// # Errors
    ///
    /// A sentence that names the field.
    pub fn read<T: DeserializeOwned>(self) -> Result<T, String> {
        serde_path_to_error::deserialize(Value::Object(self.0)).map_err(|error| {
            let field = error.path().to_string();
            match field.as_str() {
                // An unknown or missing field: serde's own sentence names it.
                "." => error.inner().to_string(),
                field => format!("`{field}`: {}", error.inner()),
            }
        })
    }
}

/// A command without fields.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoFields {}

/// Reads one line.
///
/// # Errors
///
/// [`Rejected`] with `bad-request` if it is too long, not UTF-8, not a JSON object, not a command of this side, or if
/// a field is missing, unknown or out of bounds; the message names it.
pub fn parse<C: Commands>(line: &[u8]) -> Result<Request<C>, Rejected> {
    let reject = |id, message: String| {
        Err(Rejected {
            id,
            failure: Failure::bad_request(message),
        })
    };
    if line.len() > MAX_LINE {
        return reject(
            None,
            format!(
                "line of {} bytes where at most {MAX_LINE} are allowed",
                line.len()
            ),
        );
    }
    let text = match std::str::from_utf8(line) {
        Ok(text) => text,
        Err(error) => return reject(None, format!("not UTF-8 from byte {}", error.valid_up_to())),
    };
    let mut fields = match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) => {
            return reject(
                None,
                "a command is a JSON object, as in {\"do\":\"end\"}".to_owned(),
            );
        }
        Err(error) => return reject(None, format!("not JSON: {error}")),
    };
    let id = match fields.get("id") {
        None => None,
        Some(value) => match value.as_u64() {
            Some(id) => Some(id),
            None => return reject(None, "`id`: must be a whole number from 0 on".to_owned()),
        },
    };
    let word = match fields.remove("do") {
        Some(Value::String(word)) => word,
        Some(_) => return reject(id, "`do`: must be a string".to_owned()),
        None => return reject(id, "missing field `do`".to_owned()),
    };
    if word != NAMED_BY_ID {
        fields.remove("id");
    }
    match C::read(&word, Fields(fields)) {
        Some(Ok(command)) => Ok(Request { id, command }),
        Some(Err(message)) => reject(id, message),
        None => reject(
            id,
            format!(
                "`do`: unknown command, expected one of {}",
                C::WORDS.join(", ")
            ),
        ),
    }
}

/// Defines the commands of one side: an enum, and the words that name its variants.
macro_rules! commands {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $word:literal => $variant:ident $(($body:ty))?,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub enum $name { $($(#[$vmeta])* $variant $(($body))?,)* }

        impl $crate::api::request::Commands for $name {
            const WORDS: &'static [&'static str] = &[$($word),*];

            fn read(word: &str, fields: $crate::api::request::Fields) -> Option<Result<Self, String>> {
                Some(match word {
                    $($word => $crate::api::request::commands!(@read fields, $variant $(($body))?),)*
                    _ => return None,
                })
            }
        }
    };
    (@read $fields:ident, $variant:ident ($body:ty)) => { $fields.read::<$body>().map(Self::$variant) };
    (@read $fields:ident, $variant:ident) => {
        $fields.read::<$crate::api::request::NoFields>().map(|_| Self::$variant)
    };
}
pub(super) use commands;
