//! A component with a world of its own (`wit/shapes.wit`), made by `wit-bindgen`.

wit_bindgen::generate!({ world: "painter" });

use exports::demo::shapes::shapes::{self, Access, Color, GuestCounter, Point, Shape};
use std::cell::Cell;

struct Painter;

struct Counter(Cell<u32>);

impl GuestCounter for Counter {
    fn new(start: u32) -> Counter {
        Counter(Cell::new(start))
    }

    fn add(&self, n: u32) -> u32 {
        self.0.set(self.0.get().wrapping_add(n));
        self.0.get()
    }
}

impl shapes::Guest for Painter {
    type Counter = Counter;

    fn describe(shape: Shape, color: Color, access: Access) -> Result<String, String> {
        let color = match color {
            Color::Red => "red",
            Color::Green => "green",
            Color::DarkBlue => "dark blue",
        };
        let locked = if access.contains(Access::WRITE) { "" } else { "locked " };
        match shape {
            Shape::Empty => Err("there is nothing to see".into()),
            Shape::Circle(radius) => Ok(format!("a {locked}{color} circle of radius {radius}")),
            Shape::Polygon(points) => {
                let labels: Vec<&str> = points.iter().filter_map(|point| point.label.as_deref()).collect();
                Ok(format!("a {locked}{color} polygon of {} points: {}", points.len(), labels.join(", ")))
            }
        }
    }

    fn sum(points: Vec<Point>) -> (i64, i64) {
        points.iter().fold((0, 0), |(x, y), point| (x + i64::from(point.x), y + i64::from(point.y)))
    }
}

impl Guest for Painter {
    fn greet(name: String) -> String {
        format!("Hello, {name}")
    }

    fn upper(bytes: Vec<u8>) -> Vec<u8> {
        bytes.to_ascii_uppercase()
    }
}

export!(Painter);
