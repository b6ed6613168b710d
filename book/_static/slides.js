/* A control for each .rs-slides: a slider, or buttons for a few of a kind. One slide is shown at a
   time; a player that sounds when the slide changes goes on in the other slide, at its moment.
   Players are equally loud; a switch takes the gains back, beside the loudest sound of the page.
   What is wider than its place gets a cue, so that nobody takes what is seen for all there is.
   Tables with sentences in them are marked: on a phone each of their rows is a card. */
(() => {
  "use strict";

  function show(group, place) {
    const slides = [...group.querySelectorAll(":scope > .rs-slide")];
    const before = slides.find((slide) => !slide.hidden);
    const after = slides[place];
    if (before !== after) goOn(before, after);
    slides.forEach((slide) => { slide.hidden = slide !== after; });
  }

  function goOn(before, after) {
    const players = [...after.querySelectorAll("audio")];
    [...before.querySelectorAll("audio")].forEach((player, place) => {
      if (player.paused) return;
      player.pause();
      const other = players[place];
      if (!other) return;
      other.currentTime = player.currentTime;
      other.play();
    });
  }

  function slider(group, labels, start, what, id) {
    const control = document.createElement("div");
    control.className = "rs-control";
    const label = document.createElement("label");
    label.htmlFor = id;
    label.textContent = what;
    const input = document.createElement("input");
    Object.assign(input, { type: "range", id, min: 0, max: labels.length - 1, step: 1 });
    input.value = start;
    const shown = document.createElement("output");
    shown.htmlFor.add(id);
    const change = () => {
      shown.textContent = labels[input.value];
      input.setAttribute("aria-valuetext", labels[input.value]);
      show(group, Number(input.value));
    };
    input.addEventListener("input", change);
    control.append(label, input, shown);
    return [control, change];
  }

  function toggle(group, labels, start, what, id) {
    const control = document.createElement("fieldset");
    control.className = "rs-control";
    const legend = document.createElement("legend");
    legend.textContent = what;
    control.append(legend);
    labels.forEach((text, place) => {
      const label = document.createElement("label");
      const input = document.createElement("input");
      Object.assign(input, { type: "radio", name: id, value: place, checked: place === start });
      input.addEventListener("change", () => show(group, place));
      label.append(input, text);
      control.append(label);
    });
    return [control, () => show(group, start)];
  }

  function enhance(group, number) {
    const slides = [...group.querySelectorAll(":scope > .rs-slide")];
    if (slides.length < 2) return;
    const labels = slides.map((slide) => slide.dataset.label);
    const start = Math.min(Number(group.dataset.start) || 0, slides.length - 1);
    const make = group.dataset.kind === "slider" ? slider : toggle;
    const [control, begin] = make(group, labels, start, group.dataset.what, `rs-slides-${number}`);
    group.classList.add("rs-live");
    group.prepend(control);
    begin();
  }

  const players = () => [...document.querySelectorAll("audio[data-gain]")];
  const switches = () => [...document.querySelectorAll(".rs-levels input")];

  function setLevels(own) {
    const least = Math.min(...players().map((player) => Number(player.dataset.gain)));
    players().forEach((player) => {
      player.volume = own ? 10 ** ((least - player.dataset.gain) / 20) : 1;
    });
    switches().forEach((input) => { input.checked = own; });
  }

  function addSwitch(group) {
    if (group.querySelectorAll("audio[data-gain]").length < 2) return;
    const label = document.createElement("label");
    label.className = "rs-levels";
    const input = document.createElement("input");
    input.type = "checkbox";
    input.addEventListener("change", () => setLevels(input.checked));
    label.append(input, "true levels, the loudest of this page at full volume");
    group.append(label);
  }

  const places = () => document.querySelectorAll(
    ".rs-scroll, .pst-scrollable-table-container, div.math, .bd-article figure:has(> img)");
  const cue = () => places().forEach((place) => {
    place.classList.toggle("rs-wide", place.scrollWidth > place.clientWidth + 1);
  });

  const WORDY = 40; // characters in a cell
  function markCards(table) {
    const names = [...table.querySelectorAll("thead th")].map((cell) => cell.textContent.trim());
    const cells = [...table.querySelectorAll("tbody :is(td, th)")];
    if (names.length < 3 || !cells.some((cell) => cell.textContent.length > WORDY)) return;
    table.classList.add("rs-cards");
    table.setAttribute("role", "table"); // which it would not be as blocks
    table.querySelectorAll("tr").forEach((row) => row.setAttribute("role", "row"));
    cells.forEach((cell) => {
      cell.setAttribute("role", cell.cellIndex ? "cell" : "rowheader");
      cell.dataset.name = names[cell.cellIndex] ?? "";
    });
  }

  function begin() {
    document.querySelectorAll(".bd-article table").forEach(markCards);
    document.querySelectorAll(".rs-slides").forEach(enhance);
    document.querySelectorAll(".rs-slides, .rs-players").forEach((group) => {
      if (!group.parentElement.closest(".rs-slides")) addSwitch(group);
    });
    cue();
    window.addEventListener("resize", cue);
    window.addEventListener("load", cue);
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
