/**
 * How does the page hear the server's news without asking? Server-sent events, opened again whenever they break
 * off.
 */

const AGAIN = 5; // seconds until the next attempt, where the browser itself gives up

/**
 * @param {(progress: import("./api.js").Progress) => void} news
 * @param {() => void} connected called each time the connection stands
 */
export function listenToServer(news, connected) {
  const events = new EventSource("api/events");
  events.addEventListener("message", (event) => news(JSON.parse(event.data)));
  events.addEventListener("open", connected);
  events.addEventListener("error", () => {
    // A broken connection the browser mends by itself; a refused one it closes for good.
    if (events.readyState !== EventSource.CLOSED) return;
    setTimeout(() => listenToServer(news, connected), AGAIN * 1000);
  });
}
