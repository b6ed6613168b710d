// Names of pitches, and of labels' values.

const NAMES = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];

export const pitchName = (pitch) => `${NAMES[pitch % 12]}${Math.floor(pitch / 12) - 1}`;
export const isBlack = (pitch) => NAMES[pitch % 12].length > 1;
export const capitalized = (name) => name[0].toUpperCase() + name.slice(1);
