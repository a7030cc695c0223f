// Tells the house that this page is open before somebody's eyes: previews of messengers fetch it, but run no script.
const tell = () => navigator.sendBeacon(`${location.pathname}/seen`);
if (document.prerendering) document.addEventListener("prerenderingchange", tell, { once: true });
else tell();
