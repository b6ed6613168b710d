/* A phase to unwrap by hand: put <div class="rs-unwrap"></div> into a page. The phase of a steady
   partial, 0.7 half turns a frame, jumps between -1 and 1; moved to the right, the slider adds
   whole turns frame by frame until no step exceeds half a turn. */
(() => {
  "use strict";
  const FRAMES = 24, STEP = 0.7, HEIGHT = 250, LEFT = 44, BOTTOM = 40, TOP = 8, LIMITS = [-1.5, 17];
  const wrapped = Array.from({ length: FRAMES }, (_, t) => ((STEP * t + 1) % 2) - 1);
  const turns = (count) => (count ? Math.round((STEP * (count - 1) - wrapped[count - 1]) / 2) : 0);

  function draw(svg, count) {
    const width = Math.max(300, svg.parentElement.clientWidth), tall = HEIGHT - TOP - BOTTOM;
    const x = (t) => LEFT + 8 + (t * (width - LEFT - 20)) / (FRAMES - 1);
    const y = (phase) => TOP + (tall * (LIMITS[1] - phase)) / (LIMITS[1] - LIMITS[0]);
    const text = (at, up, words, more = "") =>
      `<text x="${at}" y="${up}" fill="currentColor" font-size="13" text-anchor="middle" ${more}>${words}</text>`;
    const values = wrapped.map((phase, t) => (t < count ? STEP * t : phase + 2 * turns(count)));
    const ticks = [0, 5, 10, 15].map((value) =>
      `<path d="M${LEFT} ${y(value)}H${width - 4}" stroke="currentColor" opacity="0.15"/>` +
      text(LEFT - 6, y(value) + 4, value, 'style="text-anchor: end"'));
    const frames = [0, 5, 10, 15, 20].map((t) => text(x(t), HEIGHT - BOTTOM + 16, t));
    const points = values.map((phase, t) => `${x(t)},${y(phase)}`).join(" ");
    const dots = values.map((phase, t) =>
      `<circle cx="${x(t)}" cy="${y(phase)}" r="4" fill="${t < count ? "#D55E00" : "#0072B2"}"/>`);
    svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    svg.innerHTML =
      `<rect x="${LEFT}" y="${y(1)}" width="${width - LEFT - 4}" height="${y(-1) - y(1)}" fill="#0072B2" opacity="0.12"/>` +
      `<path d="M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${width - 4}" fill="none" stroke="currentColor" opacity="0.6"/>` +
      ticks.join("") + frames.join("") +
      text((LEFT + width) / 2, HEIGHT - 6, "frame") +
      text(-(TOP + tall / 2), 12, "phase (half turns)", 'transform="rotate(-90)"') +
      `<polyline points="${points}" fill="none" stroke="currentColor" opacity="0.5"/>` + dots.join("");
  }

  function enhance(place, number) {
    const id = `rs-unwrap-${number}`;
    place.innerHTML =
      `<div class="rs-control"><label for="${id}">Frames unwrapped</label>` +
      `<input type="range" id="${id}" min="0" max="${FRAMES}" value="8"><output></output></div>` +
      `<svg width="100%" role="img" aria-label="Phase in half turns against the frame, unwrapped ` +
      `up to the slider's frame: from there on a sawtooth between -1 and 1, before it a line"></svg>`;
    const [input, svg] = [place.querySelector("input"), place.querySelector("svg")];
    const change = () => {
      const count = Number(input.value);
      const added = count ? `, whole turns added to the last: ${turns(count)}` : "";
      place.querySelector("output").textContent = `${count} of ${FRAMES}${added}`;
      draw(svg, count);
    };
    input.addEventListener("input", change);
    window.addEventListener("resize", change);
    change();
  }

  const begin = () => document.querySelectorAll(".rs-unwrap").forEach(enhance);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
