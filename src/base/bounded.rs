//! Lists that another process gives: they have a limit, which is checked while they are read.

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

struct List<T, const MAX: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for List<T, MAX> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {MAX} items")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            if list.len() == MAX {
                return Err(A::Error::custom("too many items"));
            }
            list.push(item);
        }
        Ok(list)
    }
}

/// At most `MAX` items.
pub fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>, const MAX: usize>(
    from: D,
) -> Result<Vec<T>, D::Error> {
    from.deserialize_seq(List::<T, MAX>(PhantomData))
}

/// At most `MAX` items of a set.
pub fn set<'de, D: Deserializer<'de>, T: Deserialize<'de> + Ord, const MAX: usize>(
    from: D,
) -> Result<BTreeSet<T>, D::Error> {
    list::<D, T, MAX>(from).map(BTreeSet::from_iter)
}

/// At most `MAX` items, or none.
pub fn optional<'de, D: Deserializer<'de>, T: Deserialize<'de>, const MAX: usize>(
    from: D,
) -> Result<Option<Vec<T>>, D::Error> {
    struct Some_<T, const MAX: usize>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for Some_<T, MAX> {
        type Value = Option<Vec<T>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "at most {MAX} items, or none")
        }

        fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
            list::<D, T, MAX>(from).map(Some)
        }
    }
    from.deserialize_option(Some_::<T, MAX>(PhantomData))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Three(#[serde(deserialize_with = "super::list::<_, _, 3>")] Vec<u8>);

    #[derive(Debug, PartialEq, Deserialize)]
    struct Perhaps(#[serde(deserialize_with = "super::optional::<_, _, 1>")] Option<Vec<u8>>);

    #[test]
    fn a_list_has_its_limit() {
        let read =
            |count: u8| postcard::from_bytes::<Three>(&[&[count][..], &[7; 9][..count.into()]].concat());
        for count in 0..=3 {
            assert_eq!(read(count), Ok(Three(vec![7; count.into()])));
        }
        assert!(read(4).is_err() && read(9).is_err());
        assert!(postcard::from_bytes::<Three>(&[3, 7]).is_err());
        assert_eq!(postcard::from_bytes(&[0]), Ok(Perhaps(None)));
        assert_eq!(postcard::from_bytes(&[1, 1, 7]), Ok(Perhaps(Some(vec![7]))));
        assert!(postcard::from_bytes::<Perhaps>(&[1, 2, 7, 7]).is_err());
    }
}
