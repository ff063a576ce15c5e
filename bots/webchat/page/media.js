// Photos, recordings and positions, as far as this browser can.

const side = 2048;

// shrink makes a photo small enough for a village's network, upright and in a
// format that every server reads. A browser that cannot sends what it has.
export async function shrink(file) {
  try {
    const picture = await createImageBitmap(file);
    const scale = Math.min(1, side / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    const paper = canvas.getContext("2d");
    paper.fillStyle = "#fff";
    paper.fillRect(0, 0, canvas.width, canvas.height);
    paper.drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    const small = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
    return small || file;
  } catch {
    return file;
  }
}

export function canRecord() {
  return Boolean(navigator.mediaDevices?.getUserMedia && window.MediaRecorder);
}

// record starts a recording. stop() gives the blob, cancel() throws it away.
export async function record() {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const recorder = new MediaRecorder(stream, { audioBitsPerSecond: 32000 });
  const chunks = [];
  recorder.addEventListener("dataavailable", (e) => chunks.push(e.data));
  const ended = new Promise((done) => recorder.addEventListener("stop", done));
  recorder.start();
  const end = async () => {
    if (recorder.state !== "inactive") recorder.stop();
    await ended;
    for (const track of stream.getTracks()) track.stop();
  };
  return {
    cancel: end,
    async stop() {
      await end();
      return new Blob(chunks, { type: recorder.mimeType });
    },
  };
}

// where gives the position of the browser, in WGS-84.
export function where() {
  return new Promise((done, fail) => {
    if (!navigator.geolocation) {
      fail(new Error("no geolocation"));
      return;
    }
    const options = { enableHighAccuracy: true, timeout: 15000, maximumAge: 60000 };
    navigator.geolocation.getCurrentPosition((p) => done({ lat: p.coords.latitude, lon: p.coords.longitude }), fail, options);
  });
}
