//! Doors for the fuzz targets to private code. Only with the feature `fuzzing`.

use crate::screen::Screen;

/// Everything observable of a screen, line by line.
pub fn observed(screen: &Screen) -> Vec<String> {
    screen.observed()
}

/// Copies the character that a repeat sequence would repeat from one screen to another. A viewer's screen never
/// receives that character, so two screens that are otherwise equal can differ in it.
pub fn repeat_as(screen: &mut Screen, other: &Screen) {
    screen.repeat_as(other);
}
