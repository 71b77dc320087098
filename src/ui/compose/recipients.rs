//! The recipients of a new message: chips, typed or pasted addresses, and the list to pick from.

mod chips;

use std::collections::BTreeSet;

use egui::{Align, Key, Layout, Modifiers, Sense, Ui, vec2};

use crate::model::contacts::address_key;
use crate::model::import::{self, Piece};
use crate::model::journal::PersonRow;
use crate::model::names::Names;
use crate::model::snapshot::Person;
use crate::sip::Uri;
use crate::ui::kit::edit;
use crate::ui::kit::theme::{self, CONTROL_HEIGHT, colors};
use crate::ui::kit::widgets::{one_line, put};
use crate::ui::kit::words;
use crate::ui::text::say;

use self::chips::{ChipAct, Fault, chip_ui};
pub(crate) use self::chips::{problem, problem_ui};
use super::suggestions::{Acquaintances, Suggestion, Suggestions};

/// The recipients of a message.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recipients {
    chips: Vec<Chip>,
    /// The keys of the chips.
    keys: BTreeSet<String>,
    /// The domain of our own address, which a name without one is completed with.
    pub(crate) domain: Option<String>,
    /// The text in the input field.
    pub(crate) typing: String,
    /// The suggestion to which the arrow keys have moved, by its place in the list.
    marked: Option<usize>,
    /// The mark has just moved: the list shows it.
    pub(crate) has_moved: bool,
}

/// One recipient, or an invalid address typed as one.
#[derive(Clone, Debug)]
struct Chip {
    person: Person,
    /// [`address_key`] of the address.
    key: String,
    /// Why nothing can be sent to it.
    fault: Option<Fault>,
    /// Only its name was typed: the chip shows whom that was taken for.
    is_completed: bool,
}

impl Chip {
    /// What the chip says.
    fn shown(&self) -> String {
        if self.is_completed { words::address(&self.person.address) } else { self.person.name.clone() }
    }
}

/// How text got into the field.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TextOrigin {
    /// Typed; the last address is complete once a separator follows.
    Typed,
    /// Pasted in one go.
    Pasted,
}

impl Recipients {
    /// Starts with these people.
    pub(crate) fn of(people: Vec<Person>) -> Self {
        let mut recipients = Self::default();
        people.into_iter().for_each(|person| recipients.push(person));
        recipients
    }

    /// The number of chips, valid and invalid.
    pub(crate) fn len(&self) -> usize {
        self.chips.len()
    }

    /// The number of people it can be sent to, as the button counts them.
    pub(crate) fn good(&self) -> usize {
        self.len() - self.bad()
    }

    /// The number of chips that nothing can be sent to.
    pub(crate) fn bad(&self) -> usize {
        self.chips.iter().filter(|chip| chip.fault.is_some()).count()
    }

    /// The valid recipients, as rows for a draft.
    pub(crate) fn rows(&self) -> Vec<PersonRow> {
        let good = self.chips.iter().filter(|chip| chip.fault.is_none());
        good.map(|chip| PersonRow {
            address: chip.person.address.clone(),
            name: chip.person.plain_name().to_owned(),
        })
        .collect()
    }

    /// True if a chip has this key.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.keys.contains(key)
    }

    /// Adds a person unless already present.
    pub(crate) fn push(&mut self, person: Person) {
        let key = address_key(&person.address);
        if self.keys.insert(key.clone()) {
            let fault = Fault::of(&person.address);
            self.chips.push(Chip { person, key, fault, is_completed: false });
        }
    }

    /// Removes the chip at this index.
    fn remove(&mut self, place: usize) {
        if place < self.chips.len() {
            self.keys.remove(&self.chips.remove(place).key);
        }
    }

    /// Puts a recipient before the others.
    fn put_first(&mut self, place: usize) {
        if let Some(before) = self.chips.get_mut(..=place) {
            before.rotate_right(1);
        }
    }

    /// Takes the address that was meant in place of the one with a comma.
    fn mend(&mut self, place: usize, names: &Names) {
        let Some(chip) = self.chips.get(place).cloned() else { return };
        let Some(Fault::Comma { meant }) = chip.fault else { return };
        self.remove(place);
        let name = if chip.person.name == chip.person.address { String::new() } else { chip.person.name };
        let before = self.chips.len();
        let piece = Piece { line: 1, name, text: meant.clone(), address: meant };
        self.add_piece(&piece, TextOrigin::Typed, names);
        if self.chips.len() > before
            && let Some(mended) = self.chips.pop()
        {
            self.chips.insert(place, mended);
        }
    }

    /// The suggestion that Enter takes, by its place: the one that the arrow keys have chosen, else the best one for a
    /// name, while no address is being typed.
    pub(crate) fn marked(&self, suggestions: &Suggestions<'_>) -> Option<usize> {
        let is_name = !self.typing.trim().is_empty() && !self.typing.contains('@');
        let chosen = self.marked.filter(|place| *place < suggestions.len());
        chosen.or_else(|| suggestions.best(|key| self.has(key)).filter(|_| is_name))
    }

    /// Adds whom a suggestion stands for; what was typed to find it is done with.
    pub(crate) fn take(&mut self, suggestion: Suggestion<'_>) {
        suggestion.people().iter().for_each(|person| self.push(person.clone()));
        self.typing.clear();
        self.marked = None;
    }

    /// Moves the mark through the suggestions.
    fn move_mark(&mut self, suggestions: &Suggestions<'_>, key: Key) {
        let last = suggestions.len().saturating_sub(1);
        // From the one that is marked by itself, while nothing was chosen.
        let here = self.marked(suggestions);
        self.marked = match (key, here) {
            _ if suggestions.len() == 0 => None,
            (Key::ArrowDown, here) => Some(here.map_or(0, |here| (here + 1).min(last))),
            (_, here) => here.and_then(|here| here.checked_sub(1)),
        };
        self.has_moved = true;
    }

    /// Adds a person, or removes one who is present.
    pub(crate) fn toggle(&mut self, person: Person) {
        let key = address_key(&person.address);
        match self.chips.iter().position(|chip| chip.key == key) {
            Some(place) => self.remove(place),
            None => self.push(person),
        }
    }

    /// Adds what was typed or pasted: addresses in any mix, cards, a table, or the names of contacts and lists.
    pub(crate) fn add_text(&mut self, text: &str, origin: TextOrigin, names: &Names) {
        for piece in import::recipients(text) {
            self.add_piece(&piece, origin, names);
        }
    }

    /// The address of whom a bare name means: somebody at our own server. Of pasted text, many a word is no name.
    fn completed(&self, typed: &str, origin: TextOrigin) -> Option<Uri> {
        let is_bare = !typed.contains(['@', ':', '<', '"']) && !typed.contains(char::is_whitespace);
        let domain = self.domain.as_ref().filter(|_| is_bare && matches!(origin, TextOrigin::Typed))?;
        checked(&format!("{typed}@{domain}"))
    }

    fn add_piece(&mut self, piece: &Piece, origin: TextOrigin, names: &Names) {
        if let Some(list) = names.list(&piece.address) {
            return list.members.iter().for_each(|person| self.push(person.clone()));
        }
        if let Some(known) = names.named(&piece.address) {
            return self.push(known.person.clone());
        }
        // The window adds `sip:` (W6).
        let read = checked(&piece.address);
        let completed = if read.is_none() { self.completed(&piece.address, origin) } else { None };
        let is_completed = completed.is_some();
        let address = read.or(completed).map_or_else(|| piece.address.clone(), |uri| uri.as_str().to_owned());
        let row = PersonRow { address, name: piece.name.clone() };
        self.push(typed(names.person(&row)));
        let key = address_key(&row.address);
        if let Some(chip) = self.chips.last_mut().filter(|chip| chip.key == key && !names.knows(&key)) {
            chip.is_completed = is_completed;
        }
    }

    /// Turns complete pieces of the text into chips: a typed one once a separator follows it, pasted ones if there are
    /// several. The last typed piece is still being written, since one slow frame can bring several letters.
    fn take_finished(&mut self, entry: TextOrigin, names: &Names) {
        let text = &self.typing;
        let open = text.matches('"').count() % 2 == 1 || text.rfind('<') > text.rfind('>');
        let spaced = text.ends_with(char::is_whitespace) && text.contains('@');
        let mut found = match entry {
            TextOrigin::Typed => import::pieces_so_far(text),
            TextOrigin::Pasted => import::pieces(text),
        };
        // A comma may still turn out to stand in a domain.
        let is_open = found.last().is_some_and(|piece| piece.text.ends_with(','));
        let ended = (text.ends_with([',', ';', '\n']) && !is_open) || spaced;
        if open || !(ended || found.len() > 1) {
            return;
        }
        self.typing = match entry {
            TextOrigin::Typed if !ended => found.pop().map(|piece| piece.text).unwrap_or_default(),
            TextOrigin::Typed | TextOrigin::Pasted => String::new(),
        };
        found.iter().for_each(|piece| self.add_piece(piece, entry, names));
    }
}

/// The address as sent on the wire, if valid: with a scheme, a user and a host, or a telephone number.
fn checked(address: &str) -> Option<Uri> {
    let uri = Uri::typed(address).ok()?;
    uri.names_somebody().then(|| uri.to_sip())
}

/// A person as the user typed it: the name is not somebody else's claim.
fn typed(person: Person) -> Person {
    Person { name: person.plain_name().to_owned(), ..person }
}

/// The id of the address field.
pub(crate) fn field_id() -> egui::Id {
    egui::Id::unique("to")
}

/// `To:` with its chips and the input field.
pub(crate) fn recipients_ui(
    ui: &mut Ui,
    recipients: &mut Recipients,
    (names, others): (&Names, &Acquaintances),
) {
    let mut asked = None;
    ui.with_layout(Layout::left_to_right(Align::Min).with_main_wrap(true), |ui| {
        ui.spacing_mut().item_spacing = vec2(6.0, 6.0);
        let label = one_line(ui, say!("to-label"), theme::regular(14.0), colors(ui).weak, 40.0);
        let place = ui.allocate_exact_size(vec2(label.size().x.max(28.0), CONTROL_HEIGHT), Sense::hover()).0;
        put(ui.painter(), place.left_center() - vec2(0.0, label.size().y / 2.0), label);
        for (index, chip) in recipients.chips.iter().enumerate() {
            asked = chip_ui(ui, chip, index == 0).map(|act| (index, act)).or(asked);
        }
        typing_ui(ui, recipients, (names, others));
    });
    if let Some((index, act)) = asked {
        match act {
            ChipAct::Remove => recipients.remove(index),
            ChipAct::PutFirst => recipients.put_first(index),
        }
        ui.memory_mut(|memory| memory.request_focus(field_id()));
    }
}

fn typing_ui(ui: &mut Ui, recipients: &mut Recipients, (names, others): (&Names, &Acquaintances)) {
    let id = field_id();
    let focused = ui.memory(|memory| memory.has_focus(id));
    if focused
        && recipients.typing.is_empty()
        && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Backspace))
    {
        recipients.remove(recipients.len().saturating_sub(1));
    }
    let enter = focused && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Enter));
    let chips = recipients.len();
    if enter {
        take_best(recipients, (names, others));
    }
    for key in [Key::ArrowDown, Key::ArrowUp] {
        if focused && ui.input_mut(|input| input.consume_key(Modifiers::NONE, key)) {
            let typing = recipients.typing.clone();
            recipients.move_mark(&Suggestions::of(&typing, names, others), key);
        }
    }
    take_pasted(ui, recipients, names, focused);
    let width = ui.available_width().max(140.0);
    let hint = if recipients.chips.is_empty() { say!("name-or-address") } else { "" };
    let response = edit::text_field(ui, id, &mut recipients.typing, |text| {
        egui::TextEdit::singleline(text)
            .frame(egui::Frame::NONE)
            .hint_text(hint)
            .desired_width(width.min(320.0))
            .min_size(vec2(0.0, CONTROL_HEIGHT))
            .align(egui::Align2::LEFT_CENTER)
            .return_key(None)
    })
    .accessible_name(say!("to"));
    if response.changed() {
        recipients.marked = None;
        let pasted = |event: &egui::Event| matches!(event, egui::Event::Paste(_));
        let is_pasted = ui.input(|input| input.events.iter().any(pasted));
        recipients.take_finished(if is_pasted { TextOrigin::Pasted } else { TextOrigin::Typed }, names);
    }
    if response.lost_focus() && !recipients.typing.trim().is_empty() {
        let text = std::mem::take(&mut recipients.typing);
        // A part of a name is left for the list, where one of those it stands for may just have been clicked.
        let is_part = || Suggestions::of(&text, names, others).len() > 0;
        if text.contains('@')
            || (recipients.completed(text.trim(), TextOrigin::Typed).is_some() && !is_part())
        {
            recipients.add_text(&text, TextOrigin::Typed, names);
        } else {
            recipients.typing = text;
        }
    }
    if recipients.len() > chips {
        // What has become a recipient is no text any more that could be undone.
        edit::forget(ui.ctx(), id);
    }
}

/// Takes pasted lines out of the input: the field has one line and would join them.
fn take_pasted(ui: &Ui, recipients: &mut Recipients, names: &Names, focused: bool) {
    if !focused {
        return;
    }
    let mut pasted = Vec::new();
    ui.input_mut(|input| {
        input.events.retain(|event| {
            let egui::Event::Paste(text) = event else { return true };
            let is_one_line = !text.trim().contains(['\n', '\r']);
            if !is_one_line {
                pasted.push(text.clone());
            }
            is_one_line
        });
    });
    pasted.iter().for_each(|text| recipients.add_text(text, TextOrigin::Pasted, names));
}

/// Enter takes the suggestion that is marked, or the text itself as an address.
fn take_best(recipients: &mut Recipients, (names, others): (&Names, &Acquaintances)) {
    let text = recipients.typing.clone();
    let suggestions = Suggestions::of(&text, names, others);
    match recipients.marked(&suggestions).and_then(|place| suggestions.get(place)) {
        Some(suggestion) => recipients.take(suggestion),
        None => {
            recipients.typing.clear();
            recipients.add_text(&text, TextOrigin::Typed, names);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::contacts::{AddressBook, Contact, List};

    fn names() -> Names {
        let contact = |name: &str| Contact {
            address: format!("sip:{}@example.com", name.to_lowercase()),
            name: name.to_owned(),
            simulated: false,
        };
        let lists = vec![List {
            name: "Family".into(),
            members: vec!["sip:ann@example.com".into(), "sip:eve@example.com".into()],
        }];
        Names::of(&AddressBook {
            contacts: ["Ann", "Ben"].map(contact).to_vec(),
            lists,
            ..AddressBook::default()
        })
    }

    fn addresses(text: &str) -> Vec<String> {
        let mut recipients = Recipients::default();
        recipients.add_text(text, TextOrigin::Pasted, &names());
        recipients.chips.iter().map(|chip| chip.person.address.clone()).collect()
    }

    #[test]
    fn many_addresses_are_pasted_at_once() {
        let pasted = "ann@example.com, Bob Lee <bob@example.com>; \"Cole, Dana\" <sip:dana@example.com>\nim:eve@example.com fay@example.com";
        let expected = ["ann", "bob", "dana", "eve", "fay"].map(|user| format!("sip:{user}@example.com"));
        assert_eq!(addresses(pasted), expected);
    }

    #[test]
    fn pasted_lines_cards_and_tables_are_recipients_with_their_names() {
        let names_of = |text: &str| -> Vec<String> {
            let mut recipients = Recipients::default();
            recipients.add_text(text, TextOrigin::Pasted, &names());
            recipients
                .chips
                .iter()
                .map(|chip| format!("{} {}", chip.person.name, chip.person.address))
                .collect()
        };
        assert_eq!(
            names_of("Dana Weiss\tdana@x.org\nEli\teli@x.org\n"),
            ["Dana Weiss sip:dana@x.org", "Eli sip:eli@x.org"]
        );
        assert_eq!(names_of("BEGIN:VCARD\nFN:Fay\nX-SIP:fay@x.org\nEND:VCARD\n"), ["Fay sip:fay@x.org"]);
        assert_eq!(
            names_of("Ann\nFamily\nrubbish\n"),
            ["Ann sip:ann@example.com", "eve sip:eve@example.com", "rubbish rubbish"]
        );
    }

    #[test]
    fn letters_that_come_together_do_not_end_the_address_being_typed() {
        let mut recipients = Recipients::default();
        for letters in ["bob@example.com, c", "ole@exam", "ple.com, dana@example.c", "om "] {
            recipients.typing.push_str(letters);
            recipients.take_finished(TextOrigin::Typed, &names());
        }
        let found: Vec<String> = recipients.rows().into_iter().map(|row| row.address).collect();
        let expected = ["bob", "cole", "dana"].map(|user| format!("sip:{user}@example.com"));
        assert_eq!((found.as_slice(), recipients.bad()), (expected.as_slice(), 0), "{recipients:?}");
    }

    #[test]
    fn a_comma_in_a_domain_makes_one_wrong_recipient_that_can_be_mended() {
        for entry in [TextOrigin::Typed, TextOrigin::Pasted] {
            let mut recipients = Recipients::default();
            let letters = "ann@domain,com, ";
            match entry {
                TextOrigin::Typed => letters.chars().for_each(|letter| {
                    recipients.typing.push(letter);
                    recipients.take_finished(entry, &names());
                }),
                TextOrigin::Pasted => recipients.add_text(letters, entry, &names()),
            }
            assert_eq!(
                (recipients.len(), recipients.bad(), recipients.typing.trim()),
                (1, 1, ""),
                "{entry:?}"
            );
            assert!(recipients.rows().is_empty(), "nothing is sent to com, nor to ann@domain");
            let fault = recipients.chips[0].fault.clone().unwrap();
            assert_eq!(fault.words(), "A domain has no comma. Did you mean ann@domain.com?");
            recipients.add_text("bob@x.org", TextOrigin::Typed, &names());
            recipients.mend(0, &names());
            let rows: Vec<_> = recipients.rows().into_iter().map(|row| row.address).collect();
            assert_eq!(
                (rows.as_slice(), recipients.bad()),
                (&["sip:ann@domain.com".into(), "sip:bob@x.org".into()][..], 0)
            );
        }
        assert_eq!(addresses("ann@domain,bob@domain"), ["sip:ann@domain", "sip:bob@domain"]);
        let mut typed = Recipients::default();
        for letter in "ann@server,bob@x.org;".chars() {
            typed.typing.push(letter);
            typed.take_finished(TextOrigin::Typed, &names());
        }
        assert_eq!((typed.rows().len(), typed.bad()), (2, 0), "{typed:?}");
    }

    #[test]
    fn parameters_stay_with_their_address() {
        assert_eq!(
            addresses("sip:ann@example.com;transport=tcp;bob@x.com"),
            ["sip:ann@example.com;transport=tcp", "sip:bob@x.com"]
        );
    }

    #[test]
    fn names_of_contacts_and_lists_are_addresses_too() {
        assert_eq!(
            addresses("ben, Family"),
            ["sip:ben@example.com", "sip:ann@example.com", "sip:eve@example.com"]
        );
    }

    #[test]
    fn nobody_is_there_twice_and_what_is_no_address_is_flagged() {
        let mut recipients = Recipients::default();
        recipients.add_text("ann@example.com im:ann@example.com nobody @x", TextOrigin::Pasted, &names());
        assert_eq!(
            (recipients.len(), recipients.bad(), recipients.rows().len()),
            (2, 1, 1),
            "{recipients:?}"
        );
    }

    #[test]
    fn a_bare_name_that_is_typed_is_somebody_at_the_own_server() {
        let mut recipients =
            Recipients { domain: Some("james-s-office.local".to_owned()), ..Recipients::default() };
        for letter in "ann-lee; Ben, fay@x.org ".chars() {
            recipients.typing.push(letter);
            recipients.take_finished(TextOrigin::Typed, &names());
        }
        recipients.add_text("cy_2", TextOrigin::Typed, &names());
        let rows: Vec<_> = recipients.rows().into_iter().map(|row| row.address).collect();
        let expected =
            ["ann-lee@james-s-office.local", "ben@example.com", "fay@x.org", "cy_2@james-s-office.local"];
        assert_eq!(rows, expected.map(|address| format!("sip:{address}")));
        assert_eq!(recipients.chips[0].shown(), "ann-lee@james-s-office.local");
        assert_eq!(
            (recipients.chips[1].shown().as_str(), recipients.chips[2].shown().as_str()),
            ("Ben", "fay")
        );
        // These may be words of a sentence, and these are none at all.
        recipients.add_text("Dear\nall", TextOrigin::Pasted, &names());
        recipients.add_text("a b", TextOrigin::Typed, &names());
        recipients.add_text("@x", TextOrigin::Typed, &names());
        assert_eq!((recipients.rows().len(), recipients.bad()), (4, 4), "{recipients:?}");
    }
}
