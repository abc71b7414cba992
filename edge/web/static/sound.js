// SPDX-License-Identifier: Apache-2.0
// One sound for each state, told apart by rhythm as well as pitch: [start s, length s, Hz, wave].

const SOUNDS = {
  READY: [[0, 0.08, 520, "sine"]],
  ACCEPTED: [[0, 0.11, 880, "triangle"], [0.12, 0.2, 1320, "triangle"]],
  HOLD: [[0, 0.2, 740, "square"], [0.24, 0.2, 554, "square"], [0.48, 0.2, 740, "square"], [0.72, 0.3, 554, "square"]],
  STOP: [0, 0.22, 0.44, 0.66, 0.88].map((at) => [at, 0.15, 185, "sawtooth"]),
  NOLINK: [[0, 0.3, 392, "sine"], [0.34, 0.3, 330, "sine"], [0.68, 0.5, 262, "sine"]],
};
const LOUD = {READY: 0.15, ACCEPTED: 0.5, HOLD: 0.35, STOP: 0.7, NOLINK: 0.5};

// `badge(off)` is told whether sound is off: browsers keep it off until somebody touches the screen.
export function soundboard(badge) {
  const Context = window.AudioContext || window.webkitAudioContext;
  if (!Context) {
    badge(true);
    return () => {};
  }
  const context = new Context();
  const tell = () => badge(context.state !== "running");
  const wake = () => context.state === "running" || context.resume().then(tell, tell);
  context.addEventListener("statechange", tell);
  ["pointerdown", "keydown"].forEach((name) => addEventListener(name, wake, true));
  tell();
  let playing = [];
  return (state) => {
    if (context.state !== "running") return;
    playing.forEach((tone) => tone.stop()); // the newest state is the one to hear
    playing = SOUNDS[state].map(([start, length, hertz, wave]) => {
      const tone = context.createOscillator(), gain = context.createGain(), at = context.currentTime + start;
      tone.type = wave;
      tone.frequency.value = hertz;
      gain.gain.setValueAtTime(0, at);
      gain.gain.linearRampToValueAtTime(LOUD[state], at + 0.01);
      gain.gain.setValueAtTime(LOUD[state], at + length - 0.02);
      gain.gain.linearRampToValueAtTime(0, at + length);
      tone.connect(gain).connect(context.destination);
      tone.start(at);
      tone.stop(at + length);
      return tone;
    });
    document.body.dataset.sounded = state;
  };
}
