"use strict";
// Read-outs: the pointer (or the arrow keys) on one drawing moves a line through all drawings that share its time.
(() => {
  const PLOT = 964, WIDTH = 1040;
  const figures = [...document.querySelectorAll("figure.timed")].map((figure) => {
    const svg = figure.querySelector("svg");
    const data = JSON.parse(figure.querySelector("script").textContent);
    const cross = document.createElementNS(svg.namespaceURI, "path");
    cross.setAttribute("class", "cross");
    svg.append(cross);
    return { figure, svg, data, cross, readout: figure.querySelector(".readout") };
  });
  const written = (value, decimals) => decimals === null
    ? (100 * value).toFixed(2) + "%"
    : value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  let at = null;

  function show(share) {
    at = share;
    for (const { svg, data, cross, readout } of figures) {
      const last = data.series[0].values.length - 1, index = Math.round(share * last), x = (index / last) * PLOT;
      const time = new Date(data.start + (index / last) * (data.end - data.start));
      cross.setAttribute("d", `M${x.toFixed(1)} 0V${data.height}`);
      const lines = data.series.map((one) => `${one.name}  ${written(one.values[index], one.decimals)}`);
      readout.textContent = [time.toISOString().slice(0, 16).replace("T", " "), ...lines].join("\n");
      readout.style.display = "block";
      const pixel = (x / WIDTH) * svg.clientWidth, width = readout.offsetWidth;
      readout.style.left = (pixel + 12 + width > svg.clientWidth ? pixel - 12 - width : pixel + 12) + "px";
    }
  }

  function hide() {
    at = null;
    for (const { cross, readout } of figures) {
      cross.removeAttribute("d");
      readout.style.display = "none";
    }
  }

  for (const { svg } of figures) {
    svg.tabIndex = 0;
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      show(Math.min(1, Math.max(0, ((event.clientX - box.left) / box.width) * (WIDTH / PLOT))));
    });
    svg.addEventListener("pointerleave", hide);
    svg.addEventListener("blur", hide);
    svg.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (event.key === "Escape") hide();
      if (!step) return;
      event.preventDefault();
      show(Math.min(1, Math.max(0, (at === null ? 1 : at) + step / 480)));
    });
  }
})();
