import { defineDiagnostics } from '@drover/core/format';

/** Findings in ZIP archives. */
export const zipDiagnostics = defineDiagnostics('zip', {
  format: {
    failure: 'malformed',
    severity: 'error',
    summary: 'A file is no ZIP archive, or its records are damaged or contradict one another.',
    help: 'Check that the file is complete, and write it again if it is.',
  },
  size: {
    failure: 'malformed',
    severity: 'error',
    summary: 'An entry of an archive inflates to more or fewer bytes than the archive states.',
    help: 'The file is damaged: fetch or write it again.',
  },
  checksum: {
    failure: 'malformed',
    severity: 'error',
    summary: 'An entry of an archive does not have the CRC that the archive states.',
    help: 'The file is damaged: fetch or write it again.',
  },
  overlap: {
    failure: 'malformed',
    severity: 'error',
    summary:
      'Two entries of an archive share bytes, as they do in archives made to exhaust a reader.',
    help: 'Write the archive again. No program writes such archives by accident.',
  },
  name: {
    failure: 'malformed',
    severity: 'error',
    summary: 'An entry of an archive leads out of its folder, or its name is not acceptable text.',
    help: 'Write the archive again with plain relative names.',
  },
  unsupported: {
    failure: 'unsupported',
    severity: 'error',
    summary: 'An archive uses encryption, spanning or a compression other than DEFLATE.',
    help: 'Write the archive again without encryption, in one file, stored or deflated.',
  },
});
