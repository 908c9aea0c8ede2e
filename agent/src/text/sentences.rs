//! A table of sentences becomes one enum, and one `match` for each language.

use std::fmt;

/// A sentence of the catalogue, whichever table it stands in.
pub trait Sentence: Copy + fmt::Debug {
    /// In English, with its slots in braces.
    fn english(self) -> &'static str;

    /// The same in German.
    fn german(self) -> &'static str;

    /// The same in Traditional Chinese as it is written in Taiwan.
    fn chinese(self) -> &'static str;
}

macro_rules! sentences {
    (pub enum $name:ident; $($id:ident = $english:literal, $german:literal, $chinese:literal;)*) => {
        /// A sentence, or a word on a button.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name { $(#[doc = $english] $id,)* }

        impl $name {
            /// Every sentence.
            pub const ALL: &'static [Self] = &[$(Self::$id),*];
        }

        impl $crate::text::Sentence for $name {
            fn english(self) -> &'static str {
                match self { $(Self::$id => $english,)* }
            }

            fn german(self) -> &'static str {
                match self { $(Self::$id => $german,)* }
            }

            fn chinese(self) -> &'static str {
                match self { $(Self::$id => $chinese,)* }
            }
        }
    };
    ($($table:tt)*) => { $crate::text::sentences::sentences! { pub enum Id; $($table)* } };
}
pub(super) use sentences;
