//! Small pieces that templates call.

use askama::filters::Safe;

use super::assets;
use super::view::short_count;

/// A picture of `icons.svg`, hidden from screen readers: the text beside it speaks.
pub(super) fn icon(name: &str) -> Safe<String> {
    let sprite = assets::url("icons.svg");
    Safe(format!(r#"<svg class="icon" aria-hidden="true"><use href="{sprite}#{name}"/></svg>"#))
}

/// A count that fits a button.
pub(super) fn count(count: &u64) -> String {
    short_count(*count)
}
