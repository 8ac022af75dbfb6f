// Requests to the emulator's control API. An error is thrown as a sentence that a person can read.
const WORDS = {
  50503: "There is nothing to send: write something, or attach a file.",
  50512: "A file is too large for this channel.",
};

export async function ask(path, { body, ...options } = {}) {
  let answer;
  try {
    answer = await fetch(`/_emulator/${path}`, {
      ...(body ? { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) } : {}),
      ...options,
    });
  } catch {
    throw new Error("The emulator does not answer. Is it still running?");
  }
  const text = await answer.text();
  if (!answer.ok) throw new Error(words(text, answer.status));
  return text ? JSON.parse(text) : null;
}

function words(text, status) {
  let error = {};
  try {
    error = JSON.parse(text);
  } catch {
    // not from the emulator
  }
  return WORDS[error.code] ?? error.message?.replace(/^Invalid body: /, "") ?? `The emulator answered ${status}.`;
}

// A file as the control API takes it, its content in base64.
export function encoded(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve({
      content: reader.result.slice(reader.result.indexOf(",") + 1),
      content_type: file.type || "application/octet-stream",
      filename: file.name || null,
    });
    reader.onerror = () => reject(new Error(`${file.name} cannot be read.`));
    reader.readAsDataURL(file);
  });
}
