//! The table of sentences becomes one enum, and one `match` for each language.

macro_rules! sentences {
    (pub enum $name:ident; $($id:ident = $english:literal, $german:literal, $chinese:literal;)*) => {
        /// A sentence, or a word on a button.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name { $(#[doc = $english] $id,)* }

        impl $name {
            /// Every sentence.
            pub const ALL: &'static [Self] = &[$(Self::$id),*];

            /// The sentence in English, with its slots in braces.
            pub const fn english(self) -> &'static str {
                match self { $(Self::$id => $english,)* }
            }

            /// The same in German.
            pub const fn german(self) -> &'static str {
                match self { $(Self::$id => $german,)* }
            }

            /// The same in Traditional Chinese as it is written in Taiwan.
            pub const fn chinese(self) -> &'static str {
                match self { $(Self::$id => $chinese,)* }
            }
        }
    };
    ($($table:tt)*) => { $crate::text::sentences::sentences! { pub enum Id; $($table)* } };
}
pub(super) use sentences;
