//! What can be allowed although it may give other rows on another run, and how it is refused.

use samescore_core::error::{Code, Error, Result};

/// What can be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    Limit,
    WindowOrder,
    FloatAggregate,
    UnorderedAggregate,
    BareColumn,
    Collation,
    Volatile,
    Function,
    View,
    Sampling,
    SystemColumn,
}

impl Rule {
    pub(super) const ALL: [Rule; 11] = [
        Rule::Limit,
        Rule::WindowOrder,
        Rule::FloatAggregate,
        Rule::UnorderedAggregate,
        Rule::BareColumn,
        Rule::Collation,
        Rule::Volatile,
        Rule::Function,
        Rule::View,
        Rule::Sampling,
        Rule::SystemColumn,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Rule::Limit => "limit",
            Rule::WindowOrder => "window_order",
            Rule::FloatAggregate => "float_aggregate",
            Rule::UnorderedAggregate => "unordered_aggregate",
            Rule::BareColumn => "bare_column",
            Rule::Collation => "collation",
            Rule::Volatile => "volatile",
            Rule::Function => "function",
            Rule::View => "view",
            Rule::Sampling => "sampling",
            Rule::SystemColumn => "system_column",
        }
    }
}

/// What a config allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed(Vec<Rule>);

impl Allowed {
    /// # Errors
    /// A name that is none.
    pub fn read(names: &[String]) -> Result<Self> {
        let rule = |name: &String| {
            Rule::ALL.into_iter().find(|rule| rule.name() == name).ok_or_else(|| {
                let known = Rule::ALL.map(|rule| format!("`{}`", rule.name())).join(", ");
                Error::new(Code::BadParameter, format!("expected one of {known}, found `{name}`"))
                    .remedy("correct `allow` under [source]")
            })
        };
        Ok(Allowed(names.iter().map(rule).collect::<Result<_>>()?))
    }

    pub fn has(&self, rule: Rule) -> bool {
        self.0.contains(&rule)
    }

    /// # Errors
    /// What was found at `place`, unless it is allowed.
    pub fn refuse(&self, rule: Rule, place: &str, found: &str, instead: &str) -> Result<()> {
        if self.has(rule) {
            return Ok(());
        }
        let message = format!("{place}: expected the same rows on every run, found {found}");
        let remedy = format!(
            "{instead}; `allow = [\"{}\"]` beside a query under [source] accepts it",
            rule.name()
        );
        Err(Error::new(Code::RefusedQuery, message).remedy(remedy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_told_to_those_who_read_the_readme() {
        let readme = include_str!("../../../../../README.md");
        for rule in Rule::ALL {
            assert!(readme.contains(&format!("`{}`", rule.name())), "{}", rule.name());
        }
    }
}
