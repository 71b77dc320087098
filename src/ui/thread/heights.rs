//! Heights of rows, and their sums without adding all of them up.

/// The height of a row of which nothing is known.
const UNKNOWN: f32 = 60.0;

/// Heights of all rows and their prefix sums, as a Fenwick tree.
#[derive(Debug, Default)]
pub(super) struct Heights {
    rows: Vec<Height>,
    /// `sums[i]` is the sum of the `i & -i` heights that end with row `i - 1`; `sums[0]` is not used.
    sums: Vec<f64>,
}

#[derive(Clone, Copy, Debug)]
struct Height {
    value: f32,
    measured: bool,
}

impl Heights {
    pub(super) fn guessed(heights: impl Iterator<Item = f32>) -> Self {
        let rows: Vec<Height> = heights.map(|value| Height { value, measured: false }).collect();
        let mut sums: Vec<f64> =
            std::iter::once(0.0).chain(rows.iter().map(|row| f64::from(row.value))).collect();
        for index in 1..sums.len() {
            let part = sums.get(index).copied().unwrap_or(0.0);
            if let Some(sum) = sums.get_mut(index + lowest_bit(index)) {
                *sum += part;
            }
        }
        Self { rows, sums }
    }

    /// The heights of rows that stood in these places; those of new rows are not known.
    pub(super) fn rearranged(&self, places: &[Option<usize>]) -> Self {
        let unknown = Height { value: UNKNOWN, measured: false };
        let old =
            |place: &Option<usize>| place.and_then(|place| self.rows.get(place)).copied().unwrap_or(unknown);
        let rows: Vec<Height> = places.iter().map(old).collect();
        let mut new = Self::guessed(rows.iter().map(|row| row.value));
        new.rows = rows;
        new
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn get(&self, index: usize) -> f32 {
        self.rows.get(index).map_or(0.0, |row| row.value)
    }

    pub(super) fn is_measured(&self, index: usize) -> bool {
        self.rows.get(index).is_some_and(|row| row.measured)
    }

    pub(super) fn forget(&mut self, index: usize) {
        if let Some(row) = self.rows.get_mut(index) {
            row.measured = false;
        }
    }

    pub(super) fn push(&mut self, value: f32) {
        if self.sums.is_empty() {
            self.sums.push(0.0);
        }
        let index = self.sums.len();
        let part = self.above(index - 1) - self.above(index - lowest_bit(index));
        self.rows.push(Height { value, measured: false });
        self.sums.push(part + f64::from(value));
    }

    /// Sets a measured height; returns how much taller the row became.
    pub(super) fn set(&mut self, index: usize, value: f32) -> f32 {
        let Some(row) = self.rows.get_mut(index) else {
            return 0.0;
        };
        let grown = value - row.value;
        *row = Height { value, measured: true };
        let mut node = index + 1;
        while let Some(sum) = self.sums.get_mut(node) {
            *sum += f64::from(grown);
            node += lowest_bit(node);
        }
        grown
    }

    /// The sum of the heights of all rows before this one.
    pub(super) fn above(&self, index: usize) -> f64 {
        let mut node = index.min(self.rows.len());
        let mut sum = 0.0;
        while node > 0 {
            sum += self.sums.get(node).copied().unwrap_or(0.0);
            node -= lowest_bit(node);
        }
        sum
    }

    pub(super) fn total(&self) -> f64 {
        self.above(self.rows.len())
    }

    /// The row at this distance from the top; the last row for any distance past the end.
    pub(super) fn at(&self, y: f64) -> usize {
        let mut left = y.max(0.0);
        let mut index = 0;
        let mut step = self.sums.len().next_power_of_two() / 2;
        while step > 0 {
            if let Some(sum) = self.sums.get(index + step)
                && *sum <= left
            {
                left -= *sum;
                index += step;
            }
            step /= 2;
        }
        index.min(self.rows.len().saturating_sub(1))
    }
}

const fn lowest_bit(node: usize) -> usize {
    node & node.wrapping_neg()
}
