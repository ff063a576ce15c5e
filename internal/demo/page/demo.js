// Reads the changing part of the page again, so that a newcomer sees the ticket
// arrive. Buttons in use are left alone; without a script the page works too.
const live = document.getElementById("live");
const pause = 3000;

async function again() {
  if (document.visibilityState === "visible" && !live.contains(document.activeElement)) {
    try {
      const answer = await fetch("/demo/live");
      if (answer.ok) live.innerHTML = await answer.text();
    } catch {
      // The server is away: what is shown stays until it is back.
    }
  }
  setTimeout(again, pause);
}

live.addEventListener("submit", (event) => {
  for (const b of event.target.querySelectorAll("button")) setTimeout(() => { b.disabled = true; });
});
setTimeout(again, pause);
