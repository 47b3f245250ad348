//! What was typed into forms, to show it again, and what is wrong with it.

/// What is wrong with a form: field name and sentence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(Vec<(&'static str, String)>);

impl Faults {
    /// Nothing is wrong.
    pub fn none() -> Faults {
        Faults::default()
    }

    /// One thing is wrong; field `""` is the form as a whole.
    pub fn one(field: &'static str, sentence: impl Into<String>) -> Faults {
        Faults(vec![(field, sentence.into())])
    }

    /// Adds a fault.
    pub fn add(&mut self, field: &'static str, sentence: impl Into<String>) {
        self.0.push((field, sentence.into()));
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is wrong with one field.
    pub fn of(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| *name == field).map(|(_, sentence)| sentence.as_str())
    }

    /// `true` or `false`, for `aria-invalid`.
    pub fn invalid(&self, field: &str) -> &'static str {
        if self.of(field).is_some() { "true" } else { "false" }
    }
}

/// A profile being edited.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfileForm {
    /// Display name.
    pub name: String,
    /// What they say of themselves, as typed.
    pub note: String,
    /// Label and value pairs, padded to the number that is allowed.
    pub fields: Vec<(String, String)>,
    /// Follows need approval.
    pub is_locked: bool,
    /// Automated account.
    pub is_bot: bool,
    /// May be listed.
    pub is_discoverable: bool,
    /// Follows are nobody else's business.
    pub hides_follows: bool,
    /// Posts with files are shown by themselves.
    pub shows_media: bool,
    /// Answers are among these.
    pub shows_media_replies: bool,
    /// Who may quote new posts: a word of [`super::QUOTE_POLICIES`].
    pub quote_policy: String,
    /// Hosts whose pages may name them as author, one in a line.
    pub attribution_domains: String,
    /// What is wrong.
    pub faults: Faults,
}

/// Someone signing up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignUpForm {
    /// Name before the @.
    pub username: String,
    /// Mail address; may be empty.
    pub email: String,
    /// Why they want to join.
    pub reason: String,
    /// Invitation code.
    pub invite: String,
    /// What is wrong.
    pub faults: Faults,
}

/// Languages offered for posts: ISO 639 code and own name, by code.
pub const LANGUAGES: &[(&str, &str)] = &[
    ("ar", "العربية"),
    ("bg", "Български"),
    ("bn", "বাংলা"),
    ("ca", "Català"),
    ("cs", "Čeština"),
    ("cy", "Cymraeg"),
    ("da", "Dansk"),
    ("de", "Deutsch"),
    ("el", "Ελληνικά"),
    ("en", "English"),
    ("eo", "Esperanto"),
    ("es", "Español"),
    ("et", "Eesti"),
    ("eu", "Euskara"),
    ("fa", "فارسی"),
    ("fi", "Suomi"),
    ("fr", "Français"),
    ("ga", "Gaeilge"),
    ("gl", "Galego"),
    ("he", "עברית"),
    ("hi", "हिन्दी"),
    ("hr", "Hrvatski"),
    ("hu", "Magyar"),
    ("id", "Bahasa Indonesia"),
    ("is", "Íslenska"),
    ("it", "Italiano"),
    ("ja", "日本語"),
    ("ko", "한국어"),
    ("lt", "Lietuvių"),
    ("lv", "Latviešu"),
    ("nl", "Nederlands"),
    ("no", "Norsk"),
    ("pl", "Polski"),
    ("pt", "Português"),
    ("ro", "Română"),
    ("ru", "Русский"),
    ("sk", "Slovenčina"),
    ("sl", "Slovenščina"),
    ("sr", "Српски"),
    ("sv", "Svenska"),
    ("ta", "தமிழ்"),
    ("th", "ไทย"),
    ("tr", "Türkçe"),
    ("uk", "Українська"),
    ("vi", "Tiếng Việt"),
    ("zh", "中文"),
];
