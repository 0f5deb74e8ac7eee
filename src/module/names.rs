//! An index of names. Searching the list for each of thousands of names would take quadratic time.

/// Positions, in the order of their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ByName(Vec<u32>);

impl ByName {
    /// Builds it for a list of `count` names. `name` returns the name at a position.
    pub fn of<'a>(count: usize, name: impl Fn(usize) -> &'a str) -> ByName {
        let mut places: Vec<u32> = (0..count as u32).collect();
        // The sort is stable, so the first of two equal names is found.
        places.sort_by_key(|place| name(*place as usize));
        ByName(places)
    }

    /// The position of the name `wanted` in the list.
    pub fn find<'a>(&self, wanted: &str, name: impl Fn(usize) -> &'a str) -> Option<usize> {
        let at = self.0.partition_point(|place| name(*place as usize) < wanted);
        self.0.get(at).map(|place| *place as usize).filter(|place| name(*place) == wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_found_at_its_first_place_and_no_other() {
        let names = ["m", "", "z", "a", "m", "aa"];
        let by_name = ByName::of(names.len(), |place| names[place]);
        for wanted in names {
            assert_eq!(by_name.find(wanted, |p| names[p]), names.iter().position(|name| *name == wanted));
        }
        for wanted in ["b", "zz", "aaa", "A"] {
            assert_eq!(by_name.find(wanted, |p| names[p]), None);
        }
    }
}
