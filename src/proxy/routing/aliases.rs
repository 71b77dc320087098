//! Addresses that stand for others: an alias for one, a list for many, lists within lists (W16).
//!
//! **Invariant:** the table is the operator's. It is handed over whole, at the start and after each change; nothing
//! here changes it.

use std::collections::{BTreeMap, BTreeSet};

use super::domains::Domains;
use crate::limits::{ALIAS_DEPTH_MAX, RECIPIENTS_MAX};
use crate::proxy::journal::AliasRow;
use crate::sip::{Aor, Uri};

/// The table of aliases and lists.
#[derive(Debug, Default)]
pub(crate) struct Aliases(BTreeMap<Aor, Vec<Uri>>);

/// A list that cannot be resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExpandFault {
    /// Lists within lists, over `limits::ALIAS_DEPTH_MAX`.
    TooDeep,
    /// Over `limits::RECIPIENTS_MAX` members.
    TooLarge,
}

impl Aliases {
    pub(crate) fn new(rows: &[AliasRow]) -> Self {
        Self(rows.iter().map(|row| (row.alias.clone(), row.members.clone())).collect())
    }

    /// True if no address stands for others.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whom an address of a served domain stands for, each once, in table order; `None` if it stands for itself. A list
    /// that leads back to an enclosing list adds nothing by that.
    pub(crate) fn members(&self, uri: &Uri, domains: &Domains) -> Result<Option<Vec<Uri>>, ExpandFault> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let Some((alias, first)) = domains.aor(uri).and_then(|aor| self.0.get_key_value(&aor)) else {
            return Ok(None);
        };
        let mut lists = BTreeSet::from([alias.clone()]);
        let mut known = BTreeSet::new();
        let mut members = Vec::new();
        // Members still to be looked at, the next one last, each with the depth of its list.
        let mut open: Vec<(usize, &Uri)> = first.iter().rev().map(|member| (1, member)).collect();
        while let Some((depth, member)) = open.pop() {
            let aor = domains.aor(member);
            let list = aor.as_ref().and_then(|aor| self.0.get(aor));
            match (aor, list) {
                (Some(aor), Some(list)) => {
                    if depth >= ALIAS_DEPTH_MAX {
                        return Err(ExpandFault::TooDeep);
                    }
                    if lists.insert(aor) {
                        open.extend(list.iter().rev().map(|member| (depth + 1, member)));
                    }
                }
                (aor, _) => {
                    if known.insert(aor.map_or_else(|| member.to_string(), |aor| aor.to_string())) {
                        members.push(member.clone());
                    }
                }
            }
            if members.len() > RECIPIENTS_MAX {
                return Err(ExpandFault::TooLarge);
            }
        }
        Ok(Some(members).filter(|members| !members.is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::ProxyConfig;

    fn uri(text: &str) -> Uri {
        Uri::parse(text).unwrap()
    }

    fn table(lists: &[(&str, &[&str])]) -> Aliases {
        let row = |(alias, members): &(&str, &[&str])| AliasRow {
            alias: Aor::parse(alias).unwrap(),
            members: members.iter().map(|member| uri(member)).collect(),
        };
        Aliases::new(&lists.iter().map(row).collect::<Vec<_>>())
    }

    fn members(table: &Aliases, of: &str) -> Result<Option<Vec<String>>, ExpandFault> {
        let domains = Domains::new(&ProxyConfig::new(vec!["d.com".to_owned()], Vec::new()));
        let found = table.members(&uri(of), &domains)?;
        Ok(found.map(|members| members.iter().map(ToString::to_string).collect()))
    }

    #[test]
    fn w16_lists_within_lists_are_everybody_once_and_a_loop_adds_nothing() {
        let table = table(&[
            ("team@d.com", &["sip:ann@d.com", "sip:both@d.com", "sip:zed@else.org"]),
            ("both@d.com", &["im:ann@d.com", "sip:bob@d.com", "sip:team@d.com"]),
            ("self@d.com", &["sip:self@d.com"]),
        ]);
        let all = ["sip:ann@d.com", "sip:bob@d.com", "sip:zed@else.org"].map(str::to_owned).to_vec();
        for spelled in ["sip:team@d.com", "im:team@D.com", "sip:team@d.com;transport=tcp"] {
            assert_eq!(members(&table, spelled), Ok(Some(all.clone())), "{spelled}");
        }
        for nobodys in ["sip:ann@d.com", "sip:team@else.org", "sip:self@d.com"] {
            assert_eq!(members(&table, nobodys), Ok(None), "{nobodys}");
        }
    }

    #[test]
    fn w16_depth_and_size_are_bounded() {
        let names: Vec<_> = (0..=ALIAS_DEPTH_MAX).map(|number| format!("l{number}@d.com")).collect();
        let next: Vec<_> = names.iter().skip(1).map(|name| format!("sip:{name}")).collect();
        let next: Vec<[&str; 1]> = next.iter().map(|name| [name.as_str()]).collect();
        let mut lists: Vec<(&str, &[&str])> =
            names.iter().zip(&next).map(|(name, next)| (name.as_str(), next.as_slice())).collect();
        lists.push((names[ALIAS_DEPTH_MAX].as_str(), &["sip:ann@d.com"]));
        let chain = table(&lists);
        assert_eq!(members(&chain, "sip:l0@d.com"), Err(ExpandFault::TooDeep));
        assert_eq!(members(&chain, "sip:l1@d.com"), Ok(Some(vec!["sip:ann@d.com".to_owned()])));

        let people: Vec<_> = (0..=RECIPIENTS_MAX).map(|number| format!("sip:u{number}@d.com")).collect();
        let people: Vec<&str> = people.iter().map(String::as_str).collect();
        assert_eq!(members(&table(&[("all@d.com", &people)]), "sip:all@d.com"), Err(ExpandFault::TooLarge));
        let most = members(&table(&[("all@d.com", &people[1..])]), "sip:all@d.com").unwrap();
        assert_eq!(most.unwrap().len(), RECIPIENTS_MAX);
    }
}
