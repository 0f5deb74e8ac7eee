"""A component with a world of its own (../wit/text.wit), made by componentize-py."""

from componentize_py_types import Err
from wit_world.exports.text import Problem_NoWords, Problem_TooManyLines, Word

LINES_MAX = 1000


class Text:
    def greet(self, name):
        return f"Hello, {name}"

    def count(self, lines, least):
        # What is raised is the error of the result.
        if len(lines) > LINES_MAX:
            raise Err(Problem_TooManyLines(len(lines)))
        words = {}
        for number, line in enumerate(lines, 1):
            for text in filter(None, line.split(" ")):
                word = words.setdefault(text, Word(text, 0, []))
                word.times += 1
                if word.lines[-1:] != [number]:
                    word.lines.append(number)
        if not words:
            raise Err(Problem_NoWords())
        return [word for word in words.values() if word.times >= (least or 0)]
