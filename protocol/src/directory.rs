//! Choosing a directory for a session.

use serde::{Deserialize, Serialize};

/// Parameters of `areyouj/directory/list`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DirectoryListParams {
    /// An absolute path, or a prefix of one: the text after the last `/` filters the names by prefix. `~` is the home
    /// directory of the daemon's user.
    pub path: String,
    /// Include names that begin with a dot.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

/// The directories in a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DirectoryList {
    /// The absolute path of the directory that was read.
    pub directory: String,
    /// The names of the directories in it that match the prefix, sorted, at most 1,000. Names that are not valid UTF-8
    /// are omitted: a session cannot be created there.
    pub names: Vec<String>,
    /// Whether there are more names.
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

/// Result of `areyouj/directory/validate`: the directory exists and can be read, written and entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DirectoryValid {
    /// The absolute path to create a session with.
    pub directory: String,
}
