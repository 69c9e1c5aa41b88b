// Shows one answer in three planes: stands in for the notebook that NiiVue's widget expects to talk to.
import niivue from "./niivue.js";

const WINDOWS = {
  "soft tissue": [-160, 240], "narrow soft tissue": [-40, 160], "radiomics": [-200, 400], "bone": [-500, 1300],
  "whole range": [NaN, NaN],
};
const LAYERS = ["tumour", "external2", "heat"];
const FILL = { tumour: 0.3, external2: 0.5 };
// Okabe and Ito's sky blue and orange, told apart with every kind of colour vision; heat after matplotlib's magma.
const COLOURS = {
  tumour: { R: [0, 86], G: [0, 180], B: [0, 233], A: [0, 255], I: [0, 255] },
  external2: { R: [0, 230], G: [0, 159], B: [0, 0], A: [0, 255], I: [0, 255] },
  heat: { R: [0, 92, 181, 251, 252], G: [0, 18, 54, 136, 253], B: [4, 110, 122, 97, 191], A: [0, 110, 190, 235, 255], I: [0, 64, 128, 192, 255] },
};

const STEPS = {
  ArrowLeft: [-1, 0, 0], ArrowRight: [1, 0, 0], ArrowUp: [0, 1, 0], ArrowDown: [0, -1, 0], PageUp: [0, 0, 1], PageDown: [0, 0, -1],
};

class Model {
  constructor(values, models = new Map()) {
    this.values = values;
    this.heard = new Map();
    this.widget_manager = { get_model: async (id) => models.get(id) };
    this._comm_live = false;  // so that no voxel is sent back
  }
  get(name) { return this.values[name]; }
  set(name, value) { this.values[name] = value; }
  on(event, hear) { this.heard.set(event, [...(this.heard.get(event) ?? []), hear]); }
  off(event, hear) { this.heard.set(event, (this.heard.get(event) ?? []).filter((own) => hear && own !== hear)); }
  save_changes() {}
  send_sync_message() {}
  send(message) { this.listen?.(message); }
  change(name, value) { this.set(name, value); this.fire(`change:${name}`); }
  command(type, data = []) { this.fire("msg:custom", { type, data }, []); }
  fire(event, ...told) { for (const hear of this.heard.get(event) ?? []) hear(...told); }
}

const told = document.getElementById("told");
const form = document.forms[0];
// The parent decides which answer: /viewer/viewer.html?answer=ID
const answer = new URLSearchParams(location.search).get("answer") ?? "";
if (!/^[\w-]{20,}$/.test(answer)) throw fault("No answer is named; press the button on the page first.");

const found = await fetch(`../answers/${answer}/view.json`);
if (!found.ok) throw fault("This answer is no longer kept; press the button on the page again.");
const shown = new Set(await found.json());
if (!shown.has("image")) throw fault("This answer has no picture to show.");
await draw();

function fault(words) {
  told.textContent = words;
  return new Error(words);
}

function volume(name) {
  const [cal_min, cal_max] = name === "image" ? WINDOWS["soft tissue"] : [name === "heat" ? 0.05 : 0, 1];
  return new Model({
    id: name, name: `${name}.nii.gz`, path: {}, paired_img_path: {}, url: `../answers/${answer}/view_${name}.nii.gz`,
    colormap: name === "image" ? "gray" : name, colormap_negative: "", colormap_type: 0, colormap_label: null,
    colormap_invert: false, colorbar_visible: false, cal_min, cal_max, cal_min_neg: NaN, cal_max_neg: NaN,
    opacity: name === "image" ? 1 : opacity(name), frame_4d: 0, modulation_image: null, modulate_alpha: 0,
  });
}

function opacity(name) {
  if (!form[name].checked) return 0;
  return name === "heat" ? Number(form.opacity.value) : FILL[name];
}

async function draw() {
  const names = ["image", ...LAYERS].filter((name) => shown.has(name));
  for (const name of LAYERS) document.getElementById(`for-${name}`).hidden = form[name].disabled = !shown.has(name);
  const volumes = new Map(names.map((name) => [name, volume(name)]));
  const scene = new Model({
    opts: options(3), height: 100, volumes: names.map((name) => `IPY_MODEL_${name}`), meshes: [], scene: {}, graph: {},
    background_masks_overlays: 0, draw_lut: null, draw_opacity: 0, draw_fill_overwrites: true,
    overlay_outline_width: 0, overlay_alpha_shader: 1,
  }, volumes);
  const quiet = console.log;
  console.log = () => {};  // the widget tells the notebook's developer what it does
  await niivue.initialize({ model: scene });
  for (const [name, colours] of Object.entries(COLOURS)) scene.command("add_colormap", [name, colours]);
  await niivue.render({ model: scene, el: document.getElementById("planes") });
  console.log = quiet;
  listen(scene, volumes);
  document.body.dataset.ready = names.join(" ");
}

function options(plane) {
  return {
    isRadiologicalConvention: true, sagittalNoseLeft: true, sliceType: plane, multiplanarShowRender: 0,
    multiplanarLayout: innerWidth < 560 ? 1 : 3, multiplanarPadPixels: 4, multiplanarEqualSize: false, isSliceMM: true, tileMargin: 0,
    isNearestInterpolation: false, backColor: [0, 0, 0, 1], crosshairColor: [1, 1, 1, 0.5], crosshairWidth: 0.3, crosshairWidthUnit: "mm",
    crosshairGap: 4, fontColor: [0.9, 0.9, 0.9, 1], isColorbar: false, dragAndDropEnabled: false, dragMode: 3,
    dragModePrimary: 8, isCornerOrientationText: true, loadingText: "", logLevel: "error", isResizeCanvas: true,
  };
}

function listen(scene, volumes) {
  for (const name of LAYERS.filter((own) => volumes.has(own))) {
    form[name].addEventListener("change", () => volumes.get(name).change("opacity", opacity(name)));
  }
  form.opacity.addEventListener("input", () => volumes.get("heat")?.change("opacity", opacity("heat")));
  const image = volumes.get("image");
  for (const name of Object.keys(WINDOWS)) form.window.add(new Option(label(name), name));
  form.window.addEventListener("change", () => {
    const [low, high] = WINDOWS[form.window.value];
    image.change("cal_min", low);
    image.change("cal_max", high);
  });
  form.plane.addEventListener("change", () => {
    scene.change("opts", options(Number(form.plane.value)));
    scene.command("update_gl_volume");
  });
  addEventListener("resize", () => {
    scene.change("opts", options(Number(form.plane.value)));
    scene.command("update_gl_volume");
  });
  const canvas = document.querySelector("canvas");
  canvas.tabIndex = 0;
  canvas.setAttribute("aria-label", "Image planes; arrow keys move the cross, page keys change the axial slice");
  canvas.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    scene.command("move_crosshair_in_vox", step);
  });
  scene.listen = (message) => {
    if (message.event === "location_change") document.getElementById("place").value = place(message.data);
  };
}

function label(name) {
  const [low, high] = WINDOWS[name];
  return Number.isNaN(low) ? name : `${name} (${low} to ${high} HU)`;
}

function place({ values, mm }) {
  const grey = values?.[0]?.value;
  const letters = ["RL", "AP", "SI"];
  const where = mm.slice(0, 3).map((own, axis) => `${letters[axis][own < 0 ? 1 : 0]} ${Math.abs(own).toFixed(1)}`);
  return `${where.join(", ")} mm` + (Number.isFinite(grey) ? `; ${Math.round(grey)} HU` : "");
}
