//! Lines of the source, from the line tables of DWARF (`.debug_line`; DWARF 5, section 6.2), which compilers write with `-g`.
//!
//! The tables are hostile input. Each is read once, from its beginning to its end, and nothing of it is kept: the time is linear in
//! their bytes, whatever they say. The rest of DWARF, with its references and expressions, is not read.

use crate::base::escape::{cut, printable};
use crate::base::heap;
use crate::base::limits::{DEBUG_LINE_BYTES_MAX, SOURCE_PATH_BYTES_MAX};
use crate::module::section;
use gimli::{AttributeValue, DebugLineOffset, EndianSlice, LineProgramHeader, LittleEndian};
use wasmparser::{Parser, Payload};

type Bytes<'a> = EndianSlice<'a, LittleEndian>;

/// Bytes that the reader keeps for the name of a file, at most.
const FILE_BYTES: usize = 128;

/// Bytes of an address.
const ADDRESS_BYTES: u8 = 4;

/// The sections that lines are in.
#[derive(Default)]
struct Tables<'a> {
    lines: &'a [u8],
    line_strings: &'a [u8],
    strings: &'a [u8],
    /// Where the content of the code section begins. Addresses count from there (WebAssembly tool conventions, "DWARF").
    code: usize,
}

impl<'a> Tables<'a> {
    fn of(wasm: &'a [u8]) -> Tables<'a> {
        let mut tables = Tables::default();
        for payload in Parser::new(0).parse_all(wasm).map_while(Result::ok) {
            if let Some((section::CODE, range)) = payload.as_section() {
                tables.code = range.start;
            }
            if let Payload::CustomSection(custom) = payload {
                match custom.name() {
                    ".debug_line" => tables.lines = custom.data(),
                    ".debug_line_str" => tables.line_strings = custom.data(),
                    ".debug_str" => tables.strings = custom.data(),
                    _ => {}
                }
            }
        }
        tables
    }

    /// The text of an attribute.
    fn text(&self, value: AttributeValue<Bytes<'a>>) -> Option<String> {
        let within = |section: &'a [u8], at: usize| {
            let text = section.get(at..)?;
            // It is cut anyway.
            let text = &text[..text.len().min(4 * SOURCE_PATH_BYTES_MAX)];
            text.split(|byte| *byte == 0).next()
        };
        let text = match value {
            AttributeValue::String(text) => text.slice().split(|byte| *byte == 0).next()?,
            AttributeValue::DebugLineStrRef(at) => within(self.line_strings, at.0)?,
            AttributeValue::DebugStrRef(at) => within(self.strings, at.0)?,
            _ => return None,
        };
        Some(String::from_utf8_lossy(text).into_owned())
    }

    /// A place in the source, as compilers write it.
    fn place(&self, header: &LineProgramHeader<Bytes<'a>>, row: &Row) -> Option<String> {
        let file = header.file(row.file)?;
        let mut path = self.text(file.path_name())?;
        // Directory 0 is that of the compilation. DWARF 4 has it elsewhere.
        let directory = file.directory(header).filter(|_| file.directory_index() != 0);
        if let Some(directory) = directory.and_then(|directory| self.text(directory))
            && !path.starts_with('/')
        {
            path = format!("{directory}/{path}");
        }
        let column = if row.column > 0 { format!(":{}", row.column) } else { String::new() };
        // The end of a path says more than its beginning.
        let skipped = path.chars().count().saturating_sub(SOURCE_PATH_BYTES_MAX);
        let path: String = path.chars().skip(skipped).collect();
        Some(format!("{}:{}{column}", printable(&cut(&path, SOURCE_PATH_BYTES_MAX)), row.line))
    }
}

/// A row of a line table. It holds up to the address of the next one.
struct Row {
    address: u64,
    file: u64,
    line: u64,
    column: u64,
}

/// The lines of the instructions at these bytes of `wasm`. None for what is not known.
pub fn lines(wasm: &[u8], places: &[Option<u32>]) -> Vec<Option<String>> {
    let tables = Tables::of(wasm);
    let wanted: Vec<Option<u64>> = places
        .iter()
        .map(|place| place.and_then(|at| (at as usize).checked_sub(tables.code)).map(|at| at as u64))
        .collect();
    let mut found = vec![None; places.len()];
    // What a table can take that consists of the shortest names of files.
    let bytes = tables.lines.len();
    if bytes > DEBUG_LINE_BYTES_MAX || heap::check(bytes * FILE_BYTES).is_err() {
        return found;
    }
    let section = gimli::DebugLine::new(tables.lines, LittleEndian);
    let mut offset = 0;
    while offset < tables.lines.len() {
        let Ok(program) = section.program(DebugLineOffset(offset), ADDRESS_BYTES, None, None) else { break };
        let header = program.header();
        let length = usize::from(header.format().initial_length_size()).saturating_add(header.unit_length());
        offset = offset.saturating_add(length.max(1));
        let mut rows = program.rows();
        let mut last: Option<Row> = None;
        while let Ok(Some((header, row))) = rows.next_row() {
            if let Some(last) = &last {
                let holds = |at: u64| last.address <= at && at < row.address();
                for (wanted, found) in wanted.iter().zip(&mut found) {
                    if found.is_none() && wanted.is_some_and(holds) {
                        *found = tables.place(header, last);
                    }
                }
            }
            let column = match row.column() {
                gimli::ColumnType::LeftEdge => 0,
                gimli::ColumnType::Column(column) => column.get(),
            };
            let line = row.line().map_or(0, |line| line.get());
            let (address, file) = (row.address(), row.file_index());
            // Line 0 belongs to no line.
            last = (!row.end_sequence() && line > 0).then_some(Row { address, file, line, column });
        }
    }
    found
}
