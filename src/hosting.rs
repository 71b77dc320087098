//! **Host here**: a proxy for the local network, in a process of its own that ends with the window, with a certificate of its
//! own and a password for everybody; and the servers of others that are found there.
//!
//! It is the proxy of `fanfare proxy`. It listens on a private address only, and authentication is always on.

// In this order, a part uses only those after it.
mod keeper;

mod process;

mod watching;

mod nearby;

mod announce;

mod mdns;

mod settings;

mod certificate;

mod address;

pub use self::keeper::Host;
pub use self::nearby::search;
pub use self::process::run;

/// Why a server cannot be hosted.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// There is no address that only neighbours reach.
    #[error("this computer is in no private network")]
    NoNetwork,
    /// Its settings.
    #[error(transparent)]
    Settings(#[from] crate::store::ron_file::RonError),
    /// There are none.
    #[error("nothing was hosted here yet")]
    Unknown,
    /// Its users.
    #[error(transparent)]
    Users(#[from] crate::store::users::UsersError),
    /// Somebody has that name already.
    #[error("there is an account for {0} already")]
    Known(String),
    /// Opening its store.
    #[error(transparent)]
    Store(#[from] crate::store::OpenError),
    /// The proxy.
    #[error(transparent)]
    Server(#[from] crate::runtime::server::ServerError),
    /// Its certificate.
    #[error("no certificate can be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// Reading that certificate.
    #[error(transparent)]
    Tls(#[from] crate::net::TlsFileError),
    /// A name without a letter or a digit.
    #[error("\"{0}\" has no letter or digit that an address could be made of")]
    NoName(String),
    /// What the process said of itself.
    #[error("{0}")]
    Process(String),
    /// The operating system.
    #[error("the server cannot be started: {0}")]
    System(#[from] std::io::Error),
}
