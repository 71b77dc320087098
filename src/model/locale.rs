//! What the user has chosen of language and customs; the rest is as the system says.

use serde::{Deserialize, Serialize};

/// The language of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Language {
    /// That of the system, if there are texts in it, else English.
    #[default]
    System,
    /// English.
    English,
    /// Spanish.
    Spanish,
    /// German.
    German,
}

/// How many hours a clock counts to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hours {
    /// As the system says.
    #[default]
    System,
    /// `14:30`.
    TwentyFour,
    /// `2:30 PM`.
    Twelve,
}

/// The day that a week begins with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum FirstDay {
    /// As the system says.
    #[default]
    System,
    /// Monday.
    Monday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}
