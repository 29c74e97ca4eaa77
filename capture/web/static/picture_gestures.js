/* Zooming and panning a frame viewer by wheel, middle button, one finger while zoomed in, or two fingers. */

export function listenForGestures(canvas, viewer) {
  const pointers = new Map(); // pointerId -> [x, y] in canvas pixels
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) * canvas.width) / box.width, ((event.clientY - box.top) * canvas.height) / box.height];
  };
  const spread = () => {
    const [a, b] = [...pointers.values()];
    return { distance: Math.hypot(a[0] - b[0], a[1] - b[1]), x: (a[0] + b[0]) / 2, y: (a[1] + b[1]) / 2 };
  };
  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      viewer.zoomBy(Math.exp(-event.deltaY / 400), ...place(event));
    },
    { passive: false },
  );
  canvas.addEventListener("dblclick", () => viewer.fit());
  canvas.addEventListener("pointerdown", (event) => {
    const wanted = event.pointerType === "mouse" ? event.button === 1 : true;
    if (!wanted || pointers.size === 2) return;
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, place(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const here = place(event);
    if (pointers.size === 2) {
      const old = spread();
      pointers.set(event.pointerId, here);
      const now = spread();
      if (old.distance > 0) viewer.zoomBy(now.distance / old.distance, now.x, now.y);
      if (!viewer.fitted) viewer.panBy(now.x - old.x, now.y - old.y);
      return;
    }
    pointers.set(event.pointerId, here);
    // A picture that is shown whole stays where it is under a finger.
    if (event.pointerType === "mouse" || !viewer.fitted) viewer.panBy(here[0] - before[0], here[1] - before[1]);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, (event) => pointers.delete(event.pointerId));
  }
}
