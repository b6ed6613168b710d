// The computer's keys as a piano's: two rows from A, by where they lie and not by their letters.

const KEYS = [
  ...["KeyA", "KeyW", "KeyS", "KeyE", "KeyD", "KeyF", "KeyT", "KeyG", "KeyY", "KeyH", "KeyU"],
  ...["KeyJ", "KeyK", "KeyO", "KeyL", "KeyP", "Semicolon"],
];
const OCTAVES = { KeyZ: -12, KeyX: 12 };

// `lowest` says which pitch the first key is now, `shift` moves it; keys play while `root` is seen.
export function listenToKeys(root, held, lowest, shift) {
  window.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (takesText(event.target) || !isSeen(root)) return;
    const step = KEYS.indexOf(event.code), by = OCTAVES[event.code];
    if (step < 0 && !by) return;
    event.preventDefault(); // Or a menu with the focus would look for the letter.
    if (event.repeat) return;
    if (by) shift(by);
    else held.hold(event.code, lowest() + step);
  });
  // Whatever has the focus by then, and whatever else is held. While Meta is held macOS tells of no
  // other key that is let go.
  window.addEventListener("keyup", (event) => {
    if (event.key === "Meta") for (const code of KEYS) held.letGo(code);
    else held.letGo(event.code);
  }, true);
  window.addEventListener("blur", () => held.letGoOfPage());
  document.addEventListener("visibilitychange", () => document.hidden && held.letGoOfPage());
}

function takesText(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.tagName === "TEXTAREA") return true;
  return target.tagName === "INPUT" && !/^(range|checkbox|file)$/.test(target.type);
}

function isSeen(root) {
  const { bottom, top } = root.getBoundingClientRect();
  return bottom >= 0 && top <= window.innerHeight;
}
