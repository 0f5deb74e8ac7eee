//! How long functions are: of every kind, wherever they stand, and in macros too.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// A function: its first line, counted from 1, and how many it has. Documentation and attributes are not counted.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    pub line: usize,
    pub lines: usize,
}

/// The functions with a body in `source`.
pub fn functions(source: &str) -> Vec<Function> {
    let mut found = Functions(Vec::new());
    found.visit_file(&syn::parse_file(source).unwrap());
    found.0
}

struct Functions(Vec<Function>);

impl Functions {
    fn add(&mut self, begin: Span, end: Span) {
        let (line, last) = (begin.start().line, end.end().line);
        self.0.push(Function { line, lines: last - line + 1 });
    }

    fn add_body(&mut self, sig: &syn::Signature, body: &syn::Block) {
        self.add(sig.fn_token.span, body.brace_token.span.close());
    }

    /// In a macro a function is `fn`, a name, and the next braces.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut begin: Option<Span> = None;
        let mut was_fn: Option<Span> = None;
        for token in tokens {
            match &token {
                // After `fn` comes a name, or `$name`; the type of a function has neither.
                TokenTree::Ident(_) if was_fn.is_some() => begin = was_fn.take(),
                TokenTree::Punct(punct) if was_fn.is_some() && punct.as_char() == '$' => {}
                TokenTree::Ident(ident) if ident == "fn" => was_fn = Some(ident.span()),
                TokenTree::Punct(punct) if punct.as_char() == ';' => begin = None,
                TokenTree::Group(group) => {
                    if group.delimiter() == Delimiter::Brace
                        && let Some(begin) = begin.take()
                    {
                        self.add(begin, group.span_close());
                    }
                    was_fn = None;
                    self.tokens(group.stream());
                }
                _ => was_fn = None,
            }
        }
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.add_body(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.add_body(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(body) = &function.default {
            self.add_body(&function.sig, body);
        }
        visit::visit_trait_item_fn(self, function);
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        self.tokens(mac.tokens.clone());
    }
}
