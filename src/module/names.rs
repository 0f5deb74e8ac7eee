//! Places in a list by name: to look up each of thousands by searching the list takes the square of their number.

/// Places, in the order of the names there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ByName(Vec<u32>);

impl ByName {
    /// Of a list with `count` names, which `name` gives by their places.
    pub fn of<'a>(count: usize, name: impl Fn(usize) -> &'a str) -> ByName {
        let mut places: Vec<u32> = (0..count as u32).collect();
        // Stable: of a name that is there twice, the first place is found.
        places.sort_by_key(|place| name(*place as usize));
        ByName(places)
    }

    /// The place of the name `wanted` in the list that this was made of.
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
