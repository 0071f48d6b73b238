/* Figures that show an exercise: two poses as data, joined by bones. A side view looks left. */

const STANDING = { head: [132, 38], neck: [130, 60], hip: [133, 112], knee: [126, 150], foot: [134, 190] };
const FRONT = { head: [100, 40], neck: [100, 60], left: [78, 68], right: [122, 68], hip: [100, 120], kneeL: [88, 154], kneeR: [112, 154], footL: [84, 190], footR: [116, 190] };
const SIDE_BONES = ["neck hip", "hip knee", "knee foot", "neck elbow", "elbow hand"];
const FRONT_BONES = ["left right", "neck hip", "hip kneeL", "kneeL footL", "hip kneeR", "kneeR footR", "left elbowL", "elbowL handL", "right elbowR", "elbowR handR"];

const FIGURES = {
  row: { still: { ...STANDING, anchor: [22, 92] }, from: { elbow: [106, 80], hand: [80, 92] }, to: { elbow: [160, 94], hand: [124, 97] }, bones: SIDE_BONES, band: "anchor hand" },
  "single-row": { still: { ...STANDING, anchor: [62, 84] }, from: { elbow: [104, 76], hand: [76, 84] }, to: { elbow: [164, 80], hand: [126, 84] }, bones: [...SIDE_BONES, "neck anchor"], band: "anchor hand" },
  "seated-row": {
    still: { head: [142, 62], neck: [140, 84], hip: [142, 140], knee: [92, 128], foot: [46, 142], anchor: [44, 134] },
    from: { elbow: [112, 104], hand: [84, 114] }, to: { elbow: [172, 112], hand: [132, 116] }, bones: SIDE_BONES, band: "anchor hand",
  },
  "bent-row": {
    still: { head: [62, 76], neck: [78, 88], hip: [136, 104], knee: [122, 146], foot: [134, 190], anchor: [96, 190] },
    from: { elbow: [88, 124], hand: [92, 152] }, to: { elbow: [112, 76], hand: [100, 112] }, bones: SIDE_BONES, band: "anchor hand",
  },
  deadlift: {
    still: { foot: [120, 190], anchor: [108, 190] },
    from: { head: [76, 84], neck: [86, 98], hip: [144, 128], knee: [106, 146], elbow: [92, 126], hand: [104, 154] },
    to: { head: [122, 36], neck: [122, 58], hip: [122, 112], knee: [120, 150], elbow: [120, 88], hand: [112, 116] }, bones: SIDE_BONES, band: "anchor hand",
  },
  "pull-apart": { still: FRONT, from: { elbowL: [64, 94], handL: [86, 94], elbowR: [136, 94], handR: [114, 94] }, to: { elbowL: [46, 78], handL: [12, 88], elbowR: [154, 78], handR: [188, 88] }, bones: FRONT_BONES, band: "handL handR" },
  raise: { still: { ...FRONT, anchor: [100, 190] }, from: { elbowL: [70, 96], handL: [68, 122], elbowR: [130, 96], handR: [132, 122] }, to: { elbowL: [44, 72], handL: [14, 74], elbowR: [156, 72], handR: [186, 74] }, bones: FRONT_BONES, band: "handL anchor handR" },
  pulldown: { still: FRONT, from: { elbowL: [62, 40], handL: [70, 10], elbowR: [138, 40], handR: [130, 10] }, to: { elbowL: [56, 96], handL: [40, 62], elbowR: [144, 96], handR: [160, 62] }, bones: FRONT_BONES, band: "handL handR" },
  "single-arm-pulldown": {
    still: { ...FRONT, elbowL: [66, 38], handL: [82, 10] }, from: { elbowR: [136, 38], handR: [116, 10] }, to: { elbowR: [150, 102], handR: [152, 64] }, bones: FRONT_BONES, band: "handL handR",
  },
  prone: {
    still: { neck: [72, 148], hip: [124, 150], knee: [158, 150], foot: [188, 148], head: [50, 142] },
    from: { elbow: [50, 158], hand: [22, 158] }, to: { elbow: [46, 128], hand: [18, 122] }, bones: SIDE_BONES, band: "",
  },
  "push-up": {
    still: { foot: [184, 180], hand: [62, 182] }, from: { head: [40, 118], neck: [60, 128], hip: [122, 146], knee: [154, 164], elbow: [62, 156] },
    to: { head: [40, 104], neck: [60, 112], hip: [122, 142], knee: [154, 162], elbow: [62, 148] }, bones: SIDE_BONES, band: "",
  },
};

const SVG = "http://www.w3.org/2000/svg";

function line(points, kind) {
  const made = document.createElementNS(SVG, "polyline");
  made.setAttribute("points", points.map((point) => point.map((value) => value.toFixed(1)).join(",")).join(" "));
  made.setAttribute("class", kind);
  return made;
}

/* Draws a figure into an SVG; share 0 at the start of the pull, 1 at its end. */
export function figure(svg, name, share, mirrored) {
  const { still, from, to, bones, band } = FIGURES[name] ?? FIGURES.row;
  const eased = share * share * (3 - 2 * share);
  const joints = { ...still };
  for (const joint in from) joints[joint] = from[joint].map((value, i) => value + (to[joint][i] - value) * eased);
  const points = (names) => names.split(" ").map((joint) => joints[joint]);
  const group = document.createElementNS(SVG, "g");
  if (mirrored) group.setAttribute("transform", "translate(200 0) scale(-1 1)");
  const head = document.createElementNS(SVG, "circle");
  head.setAttribute("class", "skull");
  head.setAttribute("cx", joints.head[0]);
  head.setAttribute("cy", joints.head[1]);
  head.setAttribute("r", 15);
  const moving = (names) => names.split(" ").some((joint) => joint in from);
  group.append(...bones.map((names) => line(points(names), moving(names) ? "bone moves" : "bone")), head);
  if (band) group.append(line(points(band), "band"));
  svg.replaceChildren(group);
}
