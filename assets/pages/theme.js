// Before anything is painted: the colours that were chosen on this machine. A classic script, because modules come late.
try {
  const chosen = localStorage.getItem("herald-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage may be forbidden; then the system's colours are the ones.
}
