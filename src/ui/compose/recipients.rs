//! The recipients of a new message: chips, typed or pasted addresses, and the list to pick from.

use std::collections::BTreeSet;

use egui::{Align, Key, Layout, Modifiers, Rect, RichText, Role, Sense, Stroke, Ui, WidgetInfo, vec2};

use crate::model::contacts::address_key;
use crate::model::import::{self, Piece};
use crate::model::journal::PersonRow;
use crate::model::names::Names;
use crate::model::snapshot::Person;
use crate::sip::Uri;
use crate::ui::kit::edit;
use crate::ui::kit::icons::{Icon, focus_ring, paint_icon};
use crate::ui::kit::theme::{self, CONTROL_HEIGHT, colors};
use crate::ui::kit::widgets::{one_line, put};
use crate::ui::kit::words;

/// The recipients of a message.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recipients {
    chips: Vec<Chip>,
    /// The keys of the chips.
    keys: BTreeSet<String>,
    /// The text in the input field.
    pub(crate) typing: String,
}

/// One recipient, or an invalid address typed as one.
#[derive(Clone, Debug)]
struct Chip {
    person: Person,
    /// [`address_key`] of the address.
    key: String,
    /// Why nothing can be sent to it.
    problem: Option<&'static str>,
}

/// How text got into the field.
#[derive(Clone, Copy, Debug)]
enum TextOrigin {
    /// Typed; the last address is complete once a separator follows.
    Typed,
    /// Pasted in one go.
    Pasted,
}

const NO_ADDRESS: &str = "Not a SIP address. Enter one like ann@example.com";

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
        self.chips.iter().filter(|chip| chip.problem.is_some()).count()
    }

    /// The valid recipients, as rows for a draft.
    pub(crate) fn rows(&self) -> Vec<PersonRow> {
        let good = self.chips.iter().filter(|chip| chip.problem.is_none());
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
            let problem = checked(&person.address).is_none().then_some(NO_ADDRESS);
            self.chips.push(Chip { person, key, problem });
        }
    }

    /// Removes the chip at this index.
    fn remove(&mut self, place: usize) {
        if place < self.chips.len() {
            self.keys.remove(&self.chips.remove(place).key);
        }
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
    pub(crate) fn add_text(&mut self, text: &str, names: &Names) {
        for piece in import::recipients(text) {
            self.add_piece(&piece, names);
        }
    }

    fn add_piece(&mut self, piece: &Piece, names: &Names) {
        if let Some(list) = names.list(&piece.address) {
            return list.members.iter().for_each(|person| self.push(person.clone()));
        }
        let named = names.named(&piece.address).map(|known| known.person.clone());
        // The window adds `sip:` (W6).
        let address =
            checked(&piece.address).map_or_else(|| piece.address.clone(), |uri| uri.as_str().to_owned());
        let row = PersonRow { address, name: piece.name.clone() };
        self.push(named.unwrap_or_else(|| typed(names.person(&row))));
    }

    /// Turns complete pieces of the text into chips: a typed one once a separator follows it, pasted ones if there are
    /// several. The last typed piece is still being written, since one slow frame can bring several letters.
    fn take_finished(&mut self, entry: TextOrigin, names: &Names) {
        let text = &self.typing;
        let open = text.matches('"').count() % 2 == 1 || text.rfind('<') > text.rfind('>');
        let spaced = text.ends_with(char::is_whitespace) && text.contains('@');
        let ended = text.ends_with([',', ';', '\n']) || spaced;
        let mut found = import::pieces(text);
        if open || !(ended || found.len() > 1) {
            return;
        }
        self.typing = match entry {
            TextOrigin::Typed if !ended => found.pop().map(|piece| piece.text).unwrap_or_default(),
            TextOrigin::Typed | TextOrigin::Pasted => String::new(),
        };
        found.iter().for_each(|piece| self.add_piece(piece, names));
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
pub(crate) fn recipients_ui(ui: &mut Ui, recipients: &mut Recipients, names: &Names) {
    let mut removed = None;
    ui.with_layout(Layout::left_to_right(Align::Min).with_main_wrap(true), |ui| {
        ui.spacing_mut().item_spacing = vec2(6.0, 6.0);
        let label = one_line(ui, "To:", theme::regular(14.0), colors(ui).weak, 40.0);
        let place = ui.allocate_exact_size(vec2(28.0, CONTROL_HEIGHT), Sense::hover()).0;
        put(ui.painter(), place.left_center() - vec2(0.0, label.size().y / 2.0), label);
        for (index, chip) in recipients.chips.iter().enumerate() {
            if chip_ui(ui, chip) {
                removed = Some(index);
            }
        }
        typing_ui(ui, recipients, names);
    });
    if let Some(index) = removed {
        recipients.remove(index);
        ui.memory_mut(|memory| memory.request_focus(field_id()));
    }
}

/// A recipient's chip; a click removes it.
fn chip_ui(ui: &mut Ui, chip: &Chip) -> bool {
    let colors = colors(ui);
    let (ink, ground) =
        if chip.problem.is_some() { (colors.red, colors.red_soft) } else { (colors.text, colors.selected) };
    let name = one_line(ui, &chip.person.name, theme::regular(13.5), ink, 200.0);
    let (rect, response) = ui.allocate_exact_size(vec2(name.size().x + 38.0, CONTROL_HEIGHT), Sense::click());
    let stroke = if chip.problem.is_some() { Stroke::new(1.0, colors.red) } else { Stroke::NONE };
    ui.painter().rect(rect, 14.0, ground, stroke, egui::StrokeKind::Inside);
    put(ui.painter(), rect.left_center() + vec2(12.0, -name.size().y / 2.0), name);
    let cross = Rect::from_center_size(rect.right_center() - vec2(15.0, 0.0), vec2(12.0, 12.0));
    let cross_ink = if response.hovered() { ink } else { colors.weak };
    paint_icon(ui.painter(), cross, Icon::Close, cross_ink);
    focus_ring(ui, &response, rect, 14.0);
    let told = match chip.problem {
        Some(problem) => format!("Remove {}: {problem}", chip.person.name),
        None => format!("Remove {}", chip.person.name),
    };
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &told));
    let tooltip =
        format!("{}\n{}", words::address(&chip.person.address), chip.problem.unwrap_or("Click to remove"));
    response.on_hover_text(tooltip).clicked()
}

fn typing_ui(ui: &mut Ui, recipients: &mut Recipients, names: &Names) {
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
        take_best(recipients, names);
    }
    take_pasted(ui, recipients, names, focused);
    let width = ui.available_width().max(140.0);
    let hint = if recipients.chips.is_empty() { "Name or address" } else { "" };
    let response = edit::text_field(ui, id, &mut recipients.typing, |text| {
        egui::TextEdit::singleline(text)
            .frame(egui::Frame::NONE)
            .hint_text(hint)
            .desired_width(width.min(320.0))
            .min_size(vec2(0.0, CONTROL_HEIGHT))
            .align(egui::Align2::LEFT_CENTER)
            .return_key(None)
    })
    .accessible_name("To");
    if response.changed() {
        let pasted = |event: &egui::Event| matches!(event, egui::Event::Paste(_));
        let is_pasted = ui.input(|input| input.events.iter().any(pasted));
        recipients.take_finished(if is_pasted { TextOrigin::Pasted } else { TextOrigin::Typed }, names);
    }
    if response.lost_focus() && !recipients.typing.trim().is_empty() {
        let text = std::mem::take(&mut recipients.typing);
        if text.contains('@') {
            recipients.add_text(&text, names);
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
    pasted.iter().for_each(|text| recipients.add_text(text, names));
}

/// Enter adds the best match for the typed text, or the text itself as an address.
fn take_best(recipients: &mut Recipients, names: &Names) {
    let text = std::mem::take(&mut recipients.typing);
    if text.trim().is_empty() {
        return;
    }
    let known = |place| names.contacts().get(place);
    let first = names.search(&text).filter_map(known).find(|known| !recipients.has(&known.key));
    match first {
        Some(known) if !text.contains('@') => recipients.push(known.person.clone()),
        _ => recipients.add_text(&text, names),
    }
}

/// A sentence about chips that are not valid addresses.
pub(crate) fn problem(recipients: &Recipients) -> Option<String> {
    match recipients.bad() {
        0 => None,
        1 => Some("1 recipient is not a SIP address: correct or remove it".to_owned()),
        count => Some(format!("{count} recipients are not SIP addresses: correct or remove them")),
    }
}

/// Shows it as a line of text.
pub(crate) fn problem_ui(ui: &mut Ui, recipients: &Recipients) {
    if let Some(problem) = problem(recipients) {
        ui.label(RichText::new(problem).size(12.5).color(colors(ui).red));
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
        Names::of(&AddressBook { contacts: ["Ann", "Ben"].map(contact).to_vec(), lists })
    }

    fn addresses(text: &str) -> Vec<String> {
        let mut recipients = Recipients::default();
        recipients.add_text(text, &names());
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
            recipients.add_text(text, &names());
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
        recipients.add_text("ann@example.com im:ann@example.com nobody @x", &names());
        assert_eq!(
            (recipients.len(), recipients.bad(), recipients.rows().len()),
            (2, 1, 1),
            "{recipients:?}"
        );
    }
}
