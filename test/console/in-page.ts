/** Expressions and functions that run in the page; text, because the project's own code knows no browser. */
export const inPage = {
  everythingKept: 'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href])',
  focused: '(document.activeElement.id || document.activeElement.tagName)',
  focusedText: 'document.activeElement.textContent',
  /** whatever an answer that has arrived sets off is done by then */
  settled: 'new Promise((done) => setTimeout(() => setTimeout(done)))',
  overflow: 'document.documentElement.scrollWidth - document.documentElement.clientWidth',

  /** controls without a name for those who cannot see them */
  unnamedControls: String.raw`
    [...document.querySelectorAll('button, input, textarea')]
      .filter((element) => element.checkVisibility())
      .filter((element) => !element.getAttribute('aria-label') && !element.textContent.trim() && !element.closest('label'))
      .filter((element) => document.querySelector('label[for="' + element.id + '"]') === null)
      .map((element) => element.outerHTML)`,

  /** texts whose contrast with their background is under WCAG's 4.5 to 1 */
  poorContrasts: String.raw`(() => {
    const channel = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    const luminance = (color) => {
      const [r, g, b] = color.match(/[\d.]+/g).map(Number);
      return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
    };
    const backgroundOf = (element) => {
      if (element === null) return 'rgb(255, 255, 255)';
      const { backgroundColor } = getComputedStyle(element);
      return backgroundColor === 'rgba(0, 0, 0, 0)' ? backgroundOf(element.parentElement) : backgroundColor;
    };
    const poor = [];
    for (const element of document.querySelectorAll('body *')) {
      const ownText = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
      if (!ownText || !element.checkVisibility()) continue;
      const [light, dark] = [luminance(getComputedStyle(element).color), luminance(backgroundOf(element))].toSorted((a, b) => b - a);
      const ratio = (light + 0.05) / (dark + 0.05);
      if (ratio < 4.5) poor.push(element.textContent + ': ' + ratio.toFixed(2));
    }
    return poor;
  })()`,
};
