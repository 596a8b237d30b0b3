/** Redraws a block of lines in place on a terminal. */
export function liveBlock(stream: NodeJS.WriteStream): { draw(text: string): void; end(): void } {
  let drawn = 0;
  const clear = () => {
    if (drawn > 0) stream.write(`\u001b[${drawn}A\u001b[J`);
    drawn = 0;
  };
  return {
    draw: (text) => {
      clear();
      const width = stream.columns;
      const lines = text.split("\n").map((line) => (line.length > width - 1 ? `${line.slice(0, width - 2)}…` : line));
      // A block taller than the terminal can't be redrawn: what scrolled out of it stays.
      const shown = lines.slice(-(stream.rows - 2));
      stream.write(`${shown.join("\n")}\n`);
      drawn = shown.length;
    },
    end: () => {
      drawn = 0;
    },
  };
}
