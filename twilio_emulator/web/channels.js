// The three channels, as the phones know them. The addresses are those that the emulated account has from the start.
export const CHANNELS = [
  {
    key: "sms",
    name: "SMS phone",
    title: "SMS",
    to: "+12025550100",
    business: "+1 202 555 0100",
    prefix: "",
    mostFiles: 10,
    reportsRead: false,
    takesLocations: false,
    hint: "Text as a customer would.",
    suggestions: ["When are you open on Saturday?", "Where is my order BH-1042?", "I want to talk to a person"],
  },
  {
    key: "whatsapp",
    name: "WhatsApp phone",
    title: "WhatsApp",
    to: "whatsapp:+12025550101",
    business: "+1 202 555 0101",
    prefix: "whatsapp:",
    mostFiles: 1,
    reportsRead: true,
    takesLocations: true,
    hint: "The same on WhatsApp.",
    suggestions: ["What does a tune-up cost?", "Do you ship to Canada?", "I want to talk to a person"],
  },
  {
    key: "chat",
    name: "Web chat",
    title: "Web chat",
    to: "chat",
    business: "Chat with us",
    prefix: "",
    mostFiles: 10,
    reportsRead: true,
    takesLocations: false,
    hint: "The same in a website’s chat.",
    suggestions: ["Can I return a helmet?", "How long does a repair take?", "I want to talk to a person"],
  },
];

// +12025550110 → +1 202 555 0110, visitor-00…01 → Visitor 1; anything else stays as it is.
export function shown(address) {
  const visitor = /^visitor-0*(\d+)$/.exec(address);
  if (visitor) return `Visitor ${visitor[1]}`;
  const number = address.replace(/^whatsapp:/, "");
  return number.replace(/^\+1(\d{3})(\d{3})(\d{4})$/, "+1 $1 $2 $3");
}
