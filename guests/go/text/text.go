// A component with a world of its own (../../wit/text.wit), made by wit-bindgen.
package export_demo_text_text

import (
	"slices"
	"strings"
	. "wit_component/demo_text_text"

	. "go.bytecodealliance.org/pkg/wit/types"
)

const linesMax = 1000

func Greet(name string) string {
	return "Hello, " + name
}

func Count(lines []string, least Option[uint32]) Result[[]Word, Problem] {
	if len(lines) > linesMax {
		return Err[[]Word, Problem](MakeProblemTooManyLines(uint32(len(lines))))
	}
	var words []Word
	places := map[string]int{}
	for i, line := range lines {
		number := uint32(i + 1)
		for text := range strings.SplitSeq(line, " ") {
			if text == "" {
				continue
			}
			place, found := places[text]
			if !found {
				place = len(words)
				places[text] = place
				words = append(words, Word{Text: text})
			}
			word := &words[place]
			word.Times++
			if !slices.Contains(word.Lines, number) {
				word.Lines = append(word.Lines, number)
			}
		}
	}
	if len(words) == 0 {
		return Err[[]Word, Problem](MakeProblemNoWords())
	}
	rare := func(word Word) bool { return word.Times < least.SomeOr(0) }
	return Ok[[]Word, Problem](slices.DeleteFunc(words, rare))
}
