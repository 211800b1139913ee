//! Choosing a directory for a session.

use serde::{Deserialize, Serialize};

/// Parameters of `areyouj/directory/list`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DirectoryListParams {
    /// An absolute path, or the beginning of one: what follows the last `/` is the beginning of the names wanted. `~` is
    /// the home directory of the daemon's user.
    pub path: String,
    /// Those too whose names begin with a dot.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

/// The directories in a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DirectoryList {
    /// The directory that was read, an absolute path.
    pub directory: String,
    /// Names of the directories in it that begin as asked for, in order, at most 1,000. Names that are no UTF-8 are left
    /// out: no session can be created there.
    pub names: Vec<String>,
    /// Whether there are more.
    pub more: bool,
}

/// Parameters of `areyouj/directory/validate`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DirectoryParams {
    /// An absolute path. `~` is the home directory of the daemon's user.
    pub path: String,
}

/// Answer to `areyouj/directory/validate`: the directory exists and can be read, written and entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DirectoryValid {
    /// The absolute path to create a session with.
    pub directory: String,
}
