// A component with a world of its own (../wit/text.wit), made by componentize-js.

const LINES_MAX = 1000;

export const text = {
  greet(name) {
    return `Hello, ${name}`;
  },

  count(lines, least) {
    // What is thrown is the error of the result.
    if (lines.length > LINES_MAX) throw { tag: 'too-many-lines', val: lines.length };
    const words = new Map();
    lines.forEach((line, index) => {
      for (const text of line.split(' ').filter((text) => text !== '')) {
        const word = words.get(text) ?? { text, times: 0, lines: [] };
        words.set(text, word);
        word.times += 1;
        if (word.lines.at(-1) !== index + 1) word.lines.push(index + 1);
      }
    });
    if (words.size === 0) throw { tag: 'no-words' };
    return [...words.values()].filter((word) => word.times >= (least ?? 0));
  },
};
