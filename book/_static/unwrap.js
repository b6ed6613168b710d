/* A phase to unwrap by hand: put <div class="rs-unwrap"></div> into a page. The phase of a steady
   partial, 2.2 radians a frame, jumps between -pi and pi; moved to the right, the slider adds whole
   turns frame by frame until no step exceeds half a turn. */
(() => {
  "use strict";
  const FRAMES = 24, STEP = 2.2, WIDTH = 640, HEIGHT = 220, TURN = 2 * Math.PI;
  const wrapped = Array.from({ length: FRAMES }, (_, t) => ((STEP * t + Math.PI) % TURN) - Math.PI);
  const at = (t, phase) => `${20 + (t * (WIDTH - 40)) / (FRAMES - 1)},${HEIGHT - 24 - phase * 3.3}`;

  function draw(svg, count) {
    const whole = count ? Math.round((STEP * (count - 1) - wrapped[count - 1]) / TURN) * TURN : 0;
    const points = wrapped.map((phase, t) => at(t, t < count ? STEP * t : phase + whole));
    const dots = points.map((point, t) => {
      const [x, y] = point.split(",");
      return `<circle cx="${x}" cy="${y}" r="4" fill="${t < count ? "#D55E00" : "#0072B2"}"/>`;
    });
    const line = `<polyline points="${points.join(" ")}" fill="none" stroke="currentColor" opacity="0.5"/>`;
    svg.innerHTML = line + dots.join("");
  }

  function enhance(place, number) {
    const id = `rs-unwrap-${number}`;
    place.innerHTML =
      `<div class="rs-control"><label for="${id}">Frames unwrapped</label>` +
      `<input type="range" id="${id}" min="0" max="${FRAMES}" value="0"><output></output></div>` +
      `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" width="100%" role="img" ` +
      `aria-label="Phase against time, unwrapped up to the slider's frame"></svg>`;
    const [input, svg] = [place.querySelector("input"), place.querySelector("svg")];
    const change = () => {
      place.querySelector("output").textContent = `${input.value} of ${FRAMES}`;
      draw(svg, Number(input.value));
    };
    input.addEventListener("input", change);
    change();
  }

  const begin = () => document.querySelectorAll(".rs-unwrap").forEach(enhance);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
