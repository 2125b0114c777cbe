// Colours by name, light and dark: the same on every page and in every chart. Tests hold them to WCAG's contrast.

export const palettes = {
  light: {
    page: '#ffffff', soft: '#f5f7f9', line: '#d5dae1', text: '#1a1f26', muted: '#56606b', link: '#0b4f8a',
    good: '#0a5c3b', bad: '#a3190f', open: '#7a4a00', warn: '#fff4d6', broken: '#fde7e4', gap: '#e6e9ed',
    s1: '#1f5d8f', s2: '#0f8a7e', s3: '#7b4fb0', s4: '#9a6a00', s5: '#b03a76', s6: '#4d6b2c', alert: '#c2331f', rest: '#808a96',
  },
  dark: {
    page: '#14181d', soft: '#1c2229', line: '#38414c', text: '#e8ecf1', muted: '#a4afbb', link: '#7db8f0',
    good: '#5fd09a', bad: '#ff8f82', open: '#e9b95a', warn: '#3a2f10', broken: '#431b17', gap: '#2a313a',
    s1: '#6cb1e8', s2: '#4fc9bb', s3: '#b793e6', s4: '#dcae4a', s5: '#e886b3', s6: '#9cc070', alert: '#ff7d6b', rest: '#8d98a5',
  },
} as const; // prettier-ignore

export type Colour = keyof typeof palettes.light;
